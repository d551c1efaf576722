// SPDX-License-Identifier: Apache-2.0
//
// The C functions of libsnappy, as Debian's libsnappy1v5 has them. Status 0 is success.

#include "ccodecs.h"

#include <pthread.h>

static const char *const names[] = {
    "snappy_compress",
    "snappy_uncompress",
    "snappy_max_compressed_length",
    "snappy_uncompressed_length",
};

static union {
    void *all[4];
    struct {
        int (*compress)(const char *, size_t, char *, size_t *);
        int (*uncompress)(const char *, size_t, char *, size_t *);
        size_t (*max_compressed_length)(size_t);
        int (*uncompressed_length)(const char *, size_t, size_t *);
    };
} snappy;

static bool is_there;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void look(void) {
    is_there = cordwood_codec_library("libsnappy.so.1", names, snappy.all, 4);
}

bool cordwood_has_snappy(void) {
    pthread_once(&once, look);
    return is_there;
}

bool cordwood_snappy_claimed_size(const void *bytes, size_t count, size_t *size) {
    return snappy.uncompressed_length(bytes, count, size) == 0;
}

bool cordwood_snappy_open(const void *bytes, size_t count, void *room, size_t size) {
    size_t produced = size;
    return snappy.uncompress(bytes, count, room, &produced) == 0 && produced == size;
}

size_t cordwood_snappy_bound(size_t count) { return snappy.max_compressed_length(count); }

size_t cordwood_snappy_pack(const void *bytes, size_t count, void *room, size_t size) {
    size_t produced = size;
    return snappy.compress(bytes, count, room, &produced) == 0 ? produced : 0;
}
