// SPDX-License-Identifier: Apache-2.0

// The two system calls on files that Swift's Glibc module does not show, because their
// declarations need _GNU_SOURCE.

#ifndef CORDWOOD_SYSTEM_CALLS_H
#define CORDWOOD_SYSTEM_CALLS_H

#include <stddef.h>
#include <stdint.h>

// Reads like pread, but only what the page cache holds: -1 with EAGAIN where it would wait, and
// with EOPNOTSUPP where the system cannot tell.
long cordwood_pread_cached(int descriptor, void *buffer, size_t count, int64_t position);

// Writes everything of the file system that holds an open file, and waits for it.
int cordwood_syncfs(int descriptor);

#endif
