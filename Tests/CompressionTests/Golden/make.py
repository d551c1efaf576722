# SPDX-License-Identifier: Apache-2.0
"""Writes packed bytes as other implementations pack them; all open to the same text.

    pip install cramjam==2.14.0 lz4==4.4.5 zstandard==0.25.0
    python3 make.py

cramjam is built on implementations of snappy and LZ4 in Rust, so two of the three formats have
bytes here that the library under test had no hand in.
"""

import gzip
import pathlib
import struct
import textwrap

import cramjam
import lz4.frame
import zstandard

# Longer than a block of 32 KiB and one of 64 KiB.
TEXT = b"".join(b"record %d of the log\n" % (n % 40) for n in range(3500))
HALF = len(TEXT) // 2


def xerial(text, size=32 << 10, versions=struct.pack(">ii", 1, 1)):
    packed = b"\x82SNAPPY\x00" + versions
    for start in range(0, len(text), size):
        block = bytes(cramjam.snappy.compress_raw(text[start:start + size]))
        packed += struct.pack(">i", len(block)) + block
    return packed


def lz4_rust(**options):
    compressor = cramjam.lz4.Compressor(level=9, **options)
    compressor.compress(TEXT)
    return bytes(compressor.finish())


def zstd_stream(text):
    """A frame that does not say its size, as writers of streams make it."""
    compressor = zstandard.ZstdCompressor(write_content_size=False).compressobj()
    return compressor.compress(text[:1000]) + compressor.compress(text[1000:]) + compressor.flush()


PACKED = {
    "gzip": gzip.compress(TEXT, mtime=0),
    "gzip-two-members": gzip.compress(TEXT[:HALF], mtime=0) + gzip.compress(TEXT[HALF:], mtime=0),
    "snappy-plain": bytes(cramjam.snappy.compress_raw(TEXT)),
    "snappy-xerial": xerial(TEXT),
    "snappy-xerial-other-versions": xerial(TEXT, 50_000, struct.pack("<ii", 2, 1)),
    "lz4": lz4_rust(content_checksum=False, block_linked=False),
    "lz4-linked": lz4_rust(content_checksum=True, block_linked=True),
    "lz4-all-checksums": lz4.frame.compress(
        TEXT, block_size=lz4.frame.BLOCKSIZE_MAX4MB, block_linked=False, content_checksum=True,
        block_checksum=True, store_size=True),
    "lz4-64-kib-blocks": lz4.frame.compress(
        TEXT, block_size=lz4.frame.BLOCKSIZE_MAX64KB, store_size=False),
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress(TEXT),
    "zstd-stream": zstd_stream(TEXT),
    "zstd-two-frames": zstandard.compress(TEXT[:HALF]) + zstd_stream(TEXT[HALF:]),
}

for name, packed in PACKED.items():
    text = "\n".join(textwrap.wrap(packed.hex(), 96)) + "\n"
    pathlib.Path(__file__).with_name(f"{name}.hex").write_text(text)
    print(name, len(packed))
