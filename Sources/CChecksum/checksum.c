// SPDX-License-Identifier: Apache-2.0
//
// CRC32C with the processor's own instruction where there is one.
//
// The instruction has a latency of three cycles and a throughput of one, so one dependent chain
// leaves two thirds of it unused. Long inputs are therefore cut into three streams that advance
// together; each finished stream is moved past the bytes of the next by multiplying its remainder
// with x^(8n) modulo the polynomial, which is linear and so comes out of four 256-entry tables.
//
// Where the processor multiplies polynomials 512 bits at a time, folding.c is faster still.

#include "cchecksum.h"
#include "folding.h"

#include <string.h>

#define POLYNOMIAL 0x82f63b78u

enum { LONG_STREAM = 4096, SHORT_STREAM = 256 };

static uint32_t byte_tables[8][256];
static uint32_t long_shift[4][256];
static uint32_t short_shift[4][256];
static int path;

static uint32_t shift_by_zero_byte(uint32_t crc) {
    return (crc >> 8) ^ byte_tables[0][crc & 0xff];
}

/// Fills the tables that advance a remainder over `count` zero bytes.
static void make_shift(uint32_t tables[4][256], size_t count) {
    uint32_t basis[32];
    for (int bit = 0; bit < 32; bit++) {
        uint32_t crc = 1u << bit;
        for (size_t i = 0; i < count; i++) crc = shift_by_zero_byte(crc);
        basis[bit] = crc;
    }
    for (int table = 0; table < 4; table++)
        for (unsigned value = 0; value < 256; value++) {
            uint32_t sum = 0;
            for (int bit = 0; bit < 8; bit++)
                if (value & (1u << bit)) sum ^= basis[table * 8 + bit];
            tables[table][value] = sum;
        }
}

static uint32_t shift(uint32_t tables[4][256], uint32_t crc) {
    return tables[0][crc & 0xff] ^ tables[1][(crc >> 8) & 0xff] ^ tables[2][(crc >> 16) & 0xff]
        ^ tables[3][crc >> 24];
}

static uint64_t load(const uint8_t *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

static uint32_t table_update(uint32_t crc, const uint8_t *bytes, size_t count) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    while (count >= 8) {
        uint64_t word = load(bytes) ^ crc;
        crc = byte_tables[7][word & 0xff] ^ byte_tables[6][(word >> 8) & 0xff]
            ^ byte_tables[5][(word >> 16) & 0xff] ^ byte_tables[4][(word >> 24) & 0xff]
            ^ byte_tables[3][(word >> 32) & 0xff] ^ byte_tables[2][(word >> 40) & 0xff]
            ^ byte_tables[1][(word >> 48) & 0xff] ^ byte_tables[0][word >> 56];
        bytes += 8;
        count -= 8;
    }
#endif
    while (count--) crc = (crc >> 8) ^ byte_tables[0][(crc ^ *bytes++) & 0xff];
    return crc;
}

#if defined(__x86_64__)

#include <nmmintrin.h>

#define HARDWARE __attribute__((target("sse4.2")))
#define STEP64(crc, word) _mm_crc32_u64((crc), (word))
#define STEP32(crc, word) _mm_crc32_u32((crc), (word))
#define STEP8(crc, byte) _mm_crc32_u8((crc), (byte))

static int detect(void) {
    __builtin_cpu_init();
    if (cordwood_can_fold()) return 3;
    return __builtin_cpu_supports("sse4.2") ? 1 : 0;
}

#elif defined(__aarch64__) && defined(__linux__)

#include <arm_acle.h>
#include <sys/auxv.h>

#ifndef HWCAP_CRC32
#define HWCAP_CRC32 (1 << 7)
#endif
#define HARDWARE __attribute__((target("+crc")))
#define STEP64(crc, word) __crc32cd((uint32_t)(crc), (word))
#define STEP32(crc, word) __crc32cw((crc), (word))
#define STEP8(crc, byte) __crc32cb((uint32_t)(crc), (byte))

static int detect(void) { return (getauxval(AT_HWCAP) & HWCAP_CRC32) ? 2 : 0; }

#else

static int detect(void) { return 0; }

#endif

#if defined(HARDWARE)

HARDWARE static uint32_t three_streams(
    uint32_t crc, const uint8_t *bytes, size_t stream, uint32_t tables[4][256]
) {
    uint64_t first = crc, second = 0, third = 0;
    for (const uint8_t *end = bytes + stream; bytes < end; bytes += 8) {
        first = STEP64(first, load(bytes));
        second = STEP64(second, load(bytes + stream));
        third = STEP64(third, load(bytes + 2 * stream));
    }
    uint32_t sum = shift(tables, (uint32_t)first) ^ (uint32_t)second;
    return shift(tables, sum) ^ (uint32_t)third;
}

HARDWARE static uint32_t hardware_update(
    uint32_t crc, const uint8_t *bytes, size_t count, int folds
) {
#if defined(CORDWOOD_FOLDS)
    if (folds && count >= CORDWOOD_FOLD_MIN) {
        crc = cordwood_fold(crc, bytes, count);
        bytes += count & ~(size_t)63;
        count &= 63;
    }
#else
    (void)folds;
#endif
    while (count >= 3 * LONG_STREAM) {
        crc = three_streams(crc, bytes, LONG_STREAM, long_shift);
        bytes += 3 * LONG_STREAM;
        count -= 3 * LONG_STREAM;
    }
    while (count >= 3 * SHORT_STREAM) {
        crc = three_streams(crc, bytes, SHORT_STREAM, short_shift);
        bytes += 3 * SHORT_STREAM;
        count -= 3 * SHORT_STREAM;
    }
    uint64_t wide = crc;
    for (; count >= 8; bytes += 8, count -= 8) wide = STEP64(wide, load(bytes));
    crc = (uint32_t)wide;
    if (count & 4) {
        uint32_t word;
        memcpy(&word, bytes, sizeof word);
        crc = STEP32(crc, word);
        bytes += 4;
        count -= 4;
    }
    while (count--) crc = STEP8(crc, *bytes++);
    return crc;
}

#endif

__attribute__((constructor)) static void make_tables(void) {
    for (unsigned value = 0; value < 256; value++) {
        uint32_t crc = value;
        for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) ? POLYNOMIAL : 0);
        byte_tables[0][value] = crc;
    }
    for (int table = 1; table < 8; table++)
        for (unsigned value = 0; value < 256; value++)
            byte_tables[table][value] = shift_by_zero_byte(byte_tables[table - 1][value]);
    make_shift(long_shift, LONG_STREAM);
    make_shift(short_shift, SHORT_STREAM);
#if defined(CORDWOOD_FOLDS)
    cordwood_make_factors();
#endif
    path = detect();
}

uint32_t cordwood_crc32c_table(uint32_t crc, const void *bytes, size_t count) {
    return ~table_update(~crc, bytes, count);
}

uint32_t cordwood_crc32c(uint32_t crc, const void *bytes, size_t count) {
#if defined(HARDWARE)
    if (path) return ~hardware_update(~crc, bytes, count, path == 3);
#endif
    return cordwood_crc32c_table(crc, bytes, count);
}

uint32_t cordwood_crc32c_on(int wanted, uint32_t crc, const void *bytes, size_t count) {
#if defined(HARDWARE)
    if (wanted && path) {
        return ~hardware_update(~crc, bytes, count, wanted == 3 && path == 3);
    }
#endif
    return cordwood_crc32c_table(crc, bytes, count);
}

int cordwood_crc32c_path(void) { return path; }
