# SPDX-License-Identifier: Apache-2.0
"""What the command line packs, Kafka's clients read; and bombs in every codec."""

import subprocess
import zlib

import cramjam
import grpc
import lz4.frame
import pytest
import zstandard

import batches
from clients import Client, status_of
from kafka_clients import CODECS, EVERYONE
from kafka_fixtures import make_topic, server, topic  # noqa: F401
from server import environment

# Longer than a block of 64 KiB, in one batch or two.
LINES = [b"line %d of the same text again and again" % (number % 50) for number in range(4000)]


@pytest.mark.parametrize("codec", CODECS)
def test_what_the_command_line_packs_everybody_reads(server, topic, codec):
    result = subprocess.run(
        [server.binary, "produce", topic, "--compression", codec],
        input=b"\n".join(LINES) + b"\n", capture_output=True, timeout=60,
        env={**environment({}), "CORDWOOD_SERVER": server.address, "NO_COLOR": "1"})
    assert result.returncode == 0, result.stderr.decode()
    client = Client(server.channel())
    stored = b"".join(m.encoded_batches for m in client.consume(topic, 0, encoded=True))
    assert int.from_bytes(stored[21:23], "big") & 7 == batches.CODECS[codec]
    for reader in EVERYONE:
        assert [record.value for record in reader.read(server, topic)] == LINES, reader.name


def gzip(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()


PACKERS = {
    "gzip": gzip,
    "snappy": lambda data: bytes(cramjam.snappy.compress_raw(data)),
    "lz4": lambda data: lz4.frame.compress(data, block_linked=False),
    "zstd": zstandard.compress,
}


@pytest.mark.parametrize("codec", PACKERS)
def test_a_bomb_is_refused_and_nobody_notices(server, topic, codec):
    client = Client(server.channel())
    # Within the limit of one batch, and far beyond sixteen times that when it is opened.
    size = 20_000_000 if codec == "snappy" else 200_000_000
    bomb = PACKERS[codec](bytes(size))
    sent = batches.batch([b"x"], attributes=batches.CODECS[codec], records=bomb)
    before = server.resident_bytes()
    code, reason, _ = status_of(lambda: client.produce_encoded(topic, sent))
    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "CW-1008")
    assert server.resident_bytes() - before < 64 << 20
    client.produce(topic, [b"still there"])
    assert client.read(topic, 0) == [(0, b"still there")]
