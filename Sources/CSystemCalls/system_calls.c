// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "system_calls.h"

#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

long cordwood_pread_cached(int descriptor, void *buffer, size_t count, int64_t position) {
#ifdef RWF_NOWAIT
    struct iovec piece = {.iov_base = buffer, .iov_len = count};
    return preadv2(descriptor, &piece, 1, position, RWF_NOWAIT);
#else
    (void)descriptor, (void)buffer, (void)count, (void)position;
    errno = EOPNOTSUPP;
    return -1;
#endif
}

int cordwood_syncfs(int descriptor) {
#ifdef __linux__
    return syncfs(descriptor);
#else
    (void)descriptor;
    sync();
    return 0;
#endif
}
