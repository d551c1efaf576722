// SPDX-License-Identifier: Apache-2.0

// snappy, LZ4 and Zstandard by the system's libraries, which are looked for when they are first
// needed: building asks for no headers of theirs, and a machine without one of them serves the
// rest. All functions may be called from any thread; the state of one opening belongs to its caller.

#ifndef CORDWOOD_CCODECS_H
#define CORDWOOD_CCODECS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// What a library says of bytes.
enum cordwood_codec_status {
    CORDWOOD_CODEC_GOOD = 0,
    CORDWOOD_CODEC_DAMAGED = 1,
    CORDWOOD_CODEC_NO_MEMORY = 2,
};

/// One step of an opening.
struct cordwood_codec_step {
    size_t consumed;
    size_t produced;
    enum cordwood_codec_status status;
    /// A frame ends here.
    bool ended;
};

/// Finds functions of a library, all or none.
///
/// Returns whether the library is there and has them all.
bool cordwood_codec_library(
    const char *library, const char *const names[], void *functions[], size_t count);

// Whether the library is there. Where it is not, no other function of the codec may be called.

bool cordwood_has_snappy(void);
bool cordwood_has_lz4(void);
bool cordwood_has_zstd(void);

// snappy, without any framing.

/// The size that packed bytes claim to open to; false if they do not begin like packed bytes.
bool cordwood_snappy_claimed_size(const void *bytes, size_t count, size_t *size);
/// Opens bytes into room for exactly the size that they claim.
bool cordwood_snappy_open(const void *bytes, size_t count, void *room, size_t size);
size_t cordwood_snappy_bound(size_t count);
/// Packs bytes into room for cordwood_snappy_bound; returns the packed size, 0 if it failed.
size_t cordwood_snappy_pack(const void *bytes, size_t count, void *room, size_t size);

// LZ4 frames.

/// The state of an opening; NULL without memory.
void *cordwood_lz4_start(void);
void cordwood_lz4_end(void *state);
struct cordwood_codec_step cordwood_lz4_step(
    void *state, const void *bytes, size_t count, void *room, size_t size);
size_t cordwood_lz4_bound(size_t count);
/// Packs bytes into one frame of independent blocks; returns its size, 0 if it failed.
size_t cordwood_lz4_pack(const void *bytes, size_t count, void *room, size_t size);

// Zstandard frames.

/// The state of an opening that refuses windows over 2^window_log bytes; NULL without memory.
void *cordwood_zstd_start(int window_log);
void cordwood_zstd_end(void *state);
struct cordwood_codec_step cordwood_zstd_step(
    void *state, const void *bytes, size_t count, void *room, size_t size);
/// The size that a frame claims to open to; UINT64_MAX where it claims none.
uint64_t cordwood_zstd_claimed_size(const void *bytes, size_t count);
size_t cordwood_zstd_bound(size_t count);
/// Packs bytes into one frame; returns its size, 0 if it failed.
size_t cordwood_zstd_pack(const void *bytes, size_t count, void *room, size_t size, int level);

#endif
