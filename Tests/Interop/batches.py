# SPDX-License-Identifier: Apache-2.0
"""Kafka's RecordBatch v2, written down a second time and apart from the server's own code."""

import gzip
import struct

CRC_TABLE = []
for index in range(256):
    value = index
    for _ in range(8):
        value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
    CRC_TABLE.append(value)

CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = CRC_TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def varint(number):
    """Zigzag, seven bits a byte."""
    zigzag = (number << 1) ^ (number >> 63)
    encoded = bytearray()
    while zigzag >= 0x80:
        encoded.append(zigzag & 0x7F | 0x80)
        zigzag >>= 7
    encoded.append(zigzag)
    return bytes(encoded)


def read_varint(data, position):
    shift = number = 0
    while True:
        byte = data[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (number >> 1) ^ -(number & 1), position
        shift += 7


def field(content):
    return varint(-1) if content is None else varint(len(content)) + content


def record(delta, value, key=None, headers=(), timestamp_delta=0):
    body = b"\0" + varint(timestamp_delta) + varint(delta) + field(key) + field(value)
    body += varint(len(headers))
    for name, content in headers:
        body += field(name.encode()) + field(content)
    return varint(len(body)) + body


def batch(values, codec="none", timestamp=1_700_000_000_000, records=None, count=None,
          length=None, magic=2, crc=None, attributes=None, last_delta=None, base_offset=0):
    """A batch of values. What is named otherwise is written as given, sound or not."""
    if records is None:
        records = b"".join(record(delta, value) for delta, value in enumerate(values))
    if codec == "gzip":
        records = gzip.compress(records, 9)
    number = len(values) if count is None else count
    tail = struct.pack(
        ">hiqqqhii", CODECS[codec] if attributes is None else attributes,
        number - 1 if last_delta is None else last_delta, timestamp, timestamp, -1, -1, -1,
        number) + records
    checksum = crc32c(tail) if crc is None else crc
    size = 4 + 1 + 4 + len(tail) if length is None else length
    return struct.pack(">qiibI", base_offset, size, -1, magic, checksum) + tail


def read_batches(data):
    """Offset, key, value and headers of each record of batches that lie one behind the other."""
    position = 0
    while position < len(data):
        base, size = struct.unpack_from(">qi", data, position)
        whole = data[position:position + 12 + size]
        assert len(whole) == 12 + size, "a batch was cut"
        checksum, = struct.unpack_from(">I", whole, 17)
        assert whole[16] == 2 and crc32c(whole[21:]) == checksum
        attributes, = struct.unpack_from(">h", whole, 21)
        count, = struct.unpack_from(">i", whole, 57)
        records = gzip.decompress(whole[61:]) if attributes & 7 == 1 else whole[61:]
        yield from read_records(records, base, count)
        position += len(whole)


def read_records(data, base, count):
    position = 0
    for _ in range(count):
        _, position = read_varint(data, position)
        position += 1
        _, position = read_varint(data, position)
        delta, position = read_varint(data, position)
        key, position = read_field(data, position)
        value, position = read_field(data, position)
        header_count, position = read_varint(data, position)
        headers = []
        for _ in range(header_count):
            name, position = read_field(data, position)
            content, position = read_field(data, position)
            headers.append((name.decode(), content))
        yield base + delta, key, value, headers
    assert position == len(data)


def read_field(data, position):
    size, position = read_varint(data, position)
    if size < 0:
        return None, position
    return data[position:position + size], position + size
