# SPDX-License-Identifier: Apache-2.0
"""What one client writes every other client reads back identically, and so does gRPC."""

import pytest

from kafka_clients import (
    AIOKAFKA, CODECS, CONFLUENT, EVERYONE, GRPC, KAFKA_CLIENTS, KAFKA_PYTHON, KCAT, Record,
    by_name)
from kafka_fixtures import make_topic, server, topic  # noqa: F401

TIME = 1_700_000_000_000

# Values of many lengths, bytes of every kind, nulls apart from what is empty, headers that repeat
# or have no value, times that go backwards.
RECORDS = [
    Record(b"key", b"value", [("trace", b"1"), ("trace", b"2")], TIME),
    Record(None, b"no key", [], TIME + 1),
    Record(b"", b"", [("empty", b"")], TIME - 5000),
    Record(b"tombstone", None, [("why", b"deleted")], TIME + 2),
    Record(b"null header", b"x", [("none", None)], TIME + 3),
    Record(bytes(range(256)), bytes(range(256)) * 3, [("utf-8", "grün".encode())], TIME + 4),
    Record(b"long", b"0123456789abcdef" * 4000, [], TIME + 5),
    *(Record(b"k%d" % number, b"v" * number, [], TIME + 6 + number) for number in range(1, 130)),
]

# kcat has one way to say null for both and no times.
FOR_KCAT = [
    Record(b"key", b"value", [("trace", b"1"), ("trace", b"2")]),
    Record(None, b"no key", []),
    Record(b"tombstone", None, [("why", b"deleted")]),
    Record(bytes(range(0x20, 256)), bytes(range(0x20, 256)) * 3, [("utf-8", "grün".encode())]),
    Record(b"long", b"0123456789abcdef" * 4000, []),
]


def written_by(writer):
    if writer is KAFKA_PYTHON:
        # It reads headers without a value, and writes none.
        return [record for record in RECORDS if record.key != b"null header"]
    return FOR_KCAT if writer is KCAT else RECORDS


def without_times(records):
    return [record._replace(timestamp=None) for record in records]


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("writer", KAFKA_CLIENTS, ids=by_name)
def test_what_a_client_writes_everybody_reads(server, topic, writer, codec):
    records = written_by(writer)
    writer.write(server, topic, records, codec)
    read = {reader.name: reader.read(server, topic) for reader in EVERYONE}
    for name, got in read.items():
        if writer is KCAT:
            assert without_times(got) == records, name
        else:
            assert got == records, name
    # Of kcat's records nobody knows the times beforehand, but all must see the same.
    assert all(got == read["grpc"] for got in read.values())


def test_what_grpc_writes_everybody_reads(server, topic):
    GRPC.write(server, topic, RECORDS)
    for reader in EVERYONE:
        assert reader.read(server, topic) == RECORDS, reader.name


@pytest.mark.parametrize("codec", CODECS[1:])
@pytest.mark.parametrize("writer", [CONFLUENT, KAFKA_PYTHON, AIOKAFKA], ids=by_name)
def test_compressed_batches_are_stored_as_they_came(server, topic, writer, codec):
    """A million bytes that compress a hundredfold take up little in the log."""
    records = [Record(b"k", b"abcdefghij" * 5000, [], TIME + number) for number in range(20)]
    writer.write(server, topic, records, codec)
    log = next(server.data.rglob(f"*{'store'}"), None)
    assert log is not None
    sizes = [path.stat().st_blocks * 512 for path in server.data.rglob("*.store")]
    assert KCAT.read(server, topic) == records
    assert min(sizes) < 200_000
