// SPDX-License-Identifier: Apache-2.0
//
// CRC32C by folding, 256 bytes a step.
//
// A message's remainder does not change when its front is replaced by something congruent further
// back: 128 bits that stand D bits before others are multiplied with x^D modulo the polynomial and
// added to them (Gopal and others, "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ
// Instruction", Intel 2009). The two halves of 128 bits are multiplied by themselves, the front half
// with x^(D+32) and the other with x^(D-32), where 64 bits of the distance lie between the halves and
// 32 in where a product of reflected numbers comes to stand. One instruction does that to four
// times 128 bits; sixteen times 128 bits are under way at once, to fill the waiting for each product.

#include "folding.h"

#if defined(CORDWOOD_FOLDS)

#include <immintrin.h>

#define POLYNOMIAL 0x82f63b78u
#define FOLDING __attribute__((target("avx512f,avx512vl,avx512dq,vpclmulqdq,pclmul,sse4.2")))

/// The factors for one distance, for each of the four lanes of a register.
typedef uint64_t factors[8] __attribute__((aligned(64)));

static factors by_2048, by_1536, by_1024, by_512, to_last_lane;

/// x^exponent modulo the polynomial, reflected, one bit up: a product of reflected numbers is one short.
static uint64_t power(unsigned exponent) {
    uint32_t value = 0x80000000u;
    while (exponent--) value = (value >> 1) ^ ((value & 1) ? POLYNOMIAL : 0);
    return (uint64_t)value << 1;
}

static void make(factors pairs, int lane, unsigned distance) {
    pairs[2 * lane] = power(distance + 32);
    pairs[2 * lane + 1] = power(distance - 32);
}

void cordwood_make_factors(void) {
    for (int lane = 0; lane < 4; lane++) {
        make(by_2048, lane, 2048);
        make(by_1536, lane, 1536);
        make(by_1024, lane, 1024);
        make(by_512, lane, 512);
    }
    // The last lane stays where it is.
    for (int lane = 0; lane < 3; lane++) make(to_last_lane, lane, 128 * (3 - lane));
}

int cordwood_can_fold(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul")
        && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("vpclmulqdq");
}

FOLDING static inline __m512i fold(__m512i front, const factors pairs, __m512i back) {
    __m512i factor = _mm512_load_si512(pairs);
    __m512i first = _mm512_clmulepi64_epi128(front, factor, 0x00);
    __m512i second = _mm512_clmulepi64_epi128(front, factor, 0x11);
    // The exclusive or of three.
    return _mm512_ternarylogic_epi64(first, second, back, 0x96);
}

FOLDING uint32_t cordwood_fold(uint32_t crc, const uint8_t *bytes, size_t count) {
    // A remainder is the same as its bits added to the first 32 of what follows.
    __m512i start = _mm512_zextsi128_si512(_mm_cvtsi32_si128((int)crc));
    __m512i last = _mm512_xor_si512(start, _mm512_loadu_si512(bytes));
    if (count >= 256) {
        __m512i first = last, second = _mm512_loadu_si512(bytes + 64);
        __m512i third = _mm512_loadu_si512(bytes + 128);
        last = _mm512_loadu_si512(bytes + 192);
        bytes += 256;
        count -= 256;
        for (; count >= 256; bytes += 256, count -= 256) {
            first = fold(first, by_2048, _mm512_loadu_si512(bytes));
            second = fold(second, by_2048, _mm512_loadu_si512(bytes + 64));
            third = fold(third, by_2048, _mm512_loadu_si512(bytes + 128));
            last = fold(last, by_2048, _mm512_loadu_si512(bytes + 192));
        }
        last = fold(first, by_1536, last);
        last = fold(second, by_1024, last);
        last = fold(third, by_512, last);
    } else {
        bytes += 64;
        count -= 64;
    }
    for (; count >= 64; bytes += 64, count -= 64)
        last = fold(last, by_512, _mm512_loadu_si512(bytes));
    __m512i moved = fold(last, to_last_lane, _mm512_setzero_si512());
    __m128i sum = _mm_xor_si128(
        _mm_xor_si128(_mm512_castsi512_si128(moved), _mm512_extracti64x2_epi64(moved, 1)),
        _mm_xor_si128(_mm512_extracti64x2_epi64(moved, 2), _mm512_extracti64x2_epi64(last, 3)));
    uint64_t front = (uint64_t)_mm_cvtsi128_si64(sum);
    return (uint32_t)_mm_crc32_u64(_mm_crc32_u64(0, front), (uint64_t)_mm_extract_epi64(sum, 1));
}

#endif
