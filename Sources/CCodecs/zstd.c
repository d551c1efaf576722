// SPDX-License-Identifier: Apache-2.0
//
// The stable functions of libzstd (since 1.4), as Debian's libzstd1 has them.

#include "ccodecs.h"

#include <pthread.h>

struct input {
    const void *bytes;
    size_t count;
    size_t position;
};

struct output {
    void *room;
    size_t size;
    size_t position;
};

/// The library's numbers for the parameter and for the error that it has no memory.
enum { WINDOW_LOG_MAX = 100, ERROR_MEMORY = 64 };

static const char *const names[] = {
    "ZSTD_isError",
    "ZSTD_getErrorCode",
    "ZSTD_createDCtx",
    "ZSTD_freeDCtx",
    "ZSTD_DCtx_setParameter",
    "ZSTD_decompressStream",
    "ZSTD_getFrameContentSize",
    "ZSTD_compressBound",
    "ZSTD_compress",
};

static union {
    void *all[9];
    struct {
        unsigned (*is_error)(size_t);
        int (*error_code)(size_t);
        void *(*create)(void);
        size_t (*free)(void *);
        size_t (*set_parameter)(void *, int, int);
        size_t (*decompress)(void *, struct output *, struct input *);
        unsigned long long (*content_size)(const void *, size_t);
        size_t (*bound)(size_t);
        size_t (*compress)(void *, size_t, const void *, size_t, int);
    };
} zstd;

static bool is_there;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void look(void) { is_there = cordwood_codec_library("libzstd.so.1", names, zstd.all, 9); }

bool cordwood_has_zstd(void) {
    pthread_once(&once, look);
    return is_there;
}

void *cordwood_zstd_start(int window_log) {
    void *state = zstd.create();
    if (state && zstd.is_error(zstd.set_parameter(state, WINDOW_LOG_MAX, window_log))) {
        zstd.free(state);
        return NULL;
    }
    return state;
}

void cordwood_zstd_end(void *state) { zstd.free(state); }

struct cordwood_codec_step cordwood_zstd_step(
    void *state, const void *bytes, size_t count, void *room, size_t size
) {
    struct input input = {bytes, count, 0};
    struct output output = {room, size, 0};
    size_t outcome = zstd.decompress(state, &output, &input);
    struct cordwood_codec_step step = {
        .consumed = input.position, .produced = output.position, .ended = outcome == 0};
    if (zstd.is_error(outcome)) {
        bool is_memory = zstd.error_code(outcome) == ERROR_MEMORY;
        step.status = is_memory ? CORDWOOD_CODEC_NO_MEMORY : CORDWOOD_CODEC_DAMAGED;
    }
    return step;
}

uint64_t cordwood_zstd_claimed_size(const void *bytes, size_t count) {
    // The two highest numbers stand for "unknown" and "no frame".
    unsigned long long size = zstd.content_size(bytes, count);
    return size >= UINT64_MAX - 1 ? UINT64_MAX : size;
}

size_t cordwood_zstd_bound(size_t count) { return zstd.bound(count); }

size_t cordwood_zstd_pack(const void *bytes, size_t count, void *room, size_t size, int level) {
    size_t outcome = zstd.compress(room, size, bytes, count, level);
    return zstd.is_error(outcome) ? 0 : outcome;
}
