// SPDX-License-Identifier: Apache-2.0
#ifndef CORDWOOD_CCHECKSUM_H
#define CORDWOOD_CCHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/// Extends a finished CRC32C (Castagnoli, reflected, RFC 3720 appendix B.4) over more bytes.
///
/// Start with 0. The result of one call is the seed of the next, so
/// crc(a + b) == cordwood_crc32c(cordwood_crc32c(0, a), b).
uint32_t cordwood_crc32c(uint32_t crc, const void *bytes, size_t count);

/// The same by table, whatever the processor can do. Tests hold the fast paths against it.
uint32_t cordwood_crc32c_table(uint32_t crc, const void *bytes, size_t count);

/// The same by one of the paths below, or by the nearest that this processor has. For tests.
uint32_t cordwood_crc32c_on(int path, uint32_t crc, const void *bytes, size_t count);

/// 0 table, 1 SSE4.2, 2 ARMv8, 3 AVX-512: the path that cordwood_crc32c takes on this processor.
int cordwood_crc32c_path(void);

#endif
