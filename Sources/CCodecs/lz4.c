// SPDX-License-Identifier: Apache-2.0
//
// The frame functions of liblz4 (lz4frame.h, unchanged since 1.8), as Debian's liblz4-1 has them.

#include "ccodecs.h"

#include <pthread.h>
#include <string.h>

/// What frames are written with: LZ4F_preferences_t, laid out as the library reads it.
struct preferences {
    int block_size;
    int block_mode;
    int content_checksum;
    int frame_type;
    unsigned long long content_size;
    unsigned dictionary;
    int block_checksum;
    int level;
    unsigned flushes;
    unsigned favours_opening;
    unsigned reserved[3];
};

/// Java's consumers refuse blocks that refer to each other. The batch has a checksum of its own.
static const struct preferences preferences = {.block_mode = 1};

enum { FORMAT_VERSION = 100 };

static const char *const names[] = {
    "LZ4F_isError",
    "LZ4F_getErrorName",
    "LZ4F_createDecompressionContext",
    "LZ4F_freeDecompressionContext",
    "LZ4F_decompress",
    "LZ4F_compressFrameBound",
    "LZ4F_compressFrame",
};

static union {
    void *all[7];
    struct {
        unsigned (*is_error)(size_t);
        const char *(*error_name)(size_t);
        size_t (*create)(void **, unsigned);
        size_t (*free)(void *);
        size_t (*decompress)(void *, void *, size_t *, const void *, size_t *, const void *);
        size_t (*bound)(size_t, const struct preferences *);
        size_t (*compress)(void *, size_t, const void *, size_t, const struct preferences *);
    };
} lz4;

static bool is_there;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void look(void) { is_there = cordwood_codec_library("liblz4.so.1", names, lz4.all, 7); }

bool cordwood_has_lz4(void) {
    pthread_once(&once, look);
    return is_there;
}

void *cordwood_lz4_start(void) {
    void *state = NULL;
    return lz4.is_error(lz4.create(&state, FORMAT_VERSION)) ? NULL : state;
}

void cordwood_lz4_end(void *state) { lz4.free(state); }

struct cordwood_codec_step cordwood_lz4_step(
    void *state, const void *bytes, size_t count, void *room, size_t size
) {
    struct cordwood_codec_step step = {.consumed = count, .produced = size};
    size_t outcome = lz4.decompress(state, room, &step.produced, bytes, &step.consumed, NULL);
    if (lz4.is_error(outcome)) {
        bool is_memory = strcmp(lz4.error_name(outcome), "ERROR_allocation_failed") == 0;
        step.status = is_memory ? CORDWOOD_CODEC_NO_MEMORY : CORDWOOD_CODEC_DAMAGED;
    }
    step.ended = outcome == 0;
    return step;
}

size_t cordwood_lz4_bound(size_t count) { return lz4.bound(count, &preferences); }

size_t cordwood_lz4_pack(const void *bytes, size_t count, void *room, size_t size) {
    size_t outcome = lz4.compress(room, size, bytes, count, &preferences);
    return lz4.is_error(outcome) ? 0 : outcome;
}
