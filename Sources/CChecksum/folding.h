// SPDX-License-Identifier: Apache-2.0
#ifndef CORDWOOD_FOLDING_H
#define CORDWOOD_FOLDING_H

#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
#define CORDWOOD_FOLDS 1

/// Fewer bytes than this are not worth folding.
enum { CORDWOOD_FOLD_MIN = 128 };

/// Whether this processor can fold.
int cordwood_can_fold(void);

/// Computes the factors; before the first folding.
void cordwood_make_factors(void);

/// Moves an unfinished remainder over the leading bytes that make up whole steps of 64.
///
/// At least CORDWOOD_FOLD_MIN bytes.
uint32_t cordwood_fold(uint32_t crc, const uint8_t *bytes, size_t count);

#endif
#endif
