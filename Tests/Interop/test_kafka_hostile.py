# SPDX-License-Identifier: Apache-2.0
"""Bytes that no client would send: the connection ends, a line says why, nobody else notices."""

import random
import socket
import struct
import time

import kafka.protocol.admin
import kafka.protocol.consumer
import kafka.protocol.metadata
import kafka.protocol.producer
import pytest

from kafka_fixtures import make_topic, server, topic  # noqa: F401
from kafka_wire import (
    CORRUPT_MESSAGE, INVALID_RECORD, MESSAGE_TOO_LARGE, NONE, Wire, api_versions, batch, fetch,
    fetched, list_offsets, listed, metadata, produce, produced)
from server import eventually

MEBIBYTE = 1 << 20

TLS_HELLO = bytes.fromhex("160301020001000001fc0303") + bytes(500)
HTTP = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


def frame(body):
    return struct.pack(">i", len(body)) + body


def header(key, version, client=b"wire"):
    return struct.pack(">hhih", key, version, 1, len(client)) + client


@pytest.fixture
def neighbour(server, topic):
    """A connection that was there before the hostile one, and must work after it."""
    with Wire(server) as wire:
        assert wire.ask(api_versions()).error_code == NONE
        yield wire
        assert produced(wire.ask(produce(topic, batch([b"still here"])))).error_code == NONE
        assert len(fetched(wire.ask(fetch(topic))).records) > 0


HOSTILE = {
    "garbage": random.Random(1).randbytes(5000),
    "zeros": bytes(64),
    "ones": b"\xff" * 64,
    "TLS": TLS_HELLO,
    "HTTP": HTTP,
    "SSH": b"SSH-2.0-OpenSSH_9.2\r\n",
    "length -1": struct.pack(">i", -1),
    "length -2147483648": struct.pack(">i", -(1 << 31)),
    "length 0": struct.pack(">i", 0),
    "length 7": frame(bytes(7)),
    "length 2147483647": struct.pack(">i", 0x7FFFFFFF),
    "length over the limit": struct.pack(">i", 100 * MEBIBYTE + 1),
    "unknown key": frame(header(999, 0)),
    "negative key": frame(header(-1, 0)),
    "a key between brokers": frame(header(4, 0)),
    "version too new": frame(header(1, 99) + bytes(60)),
    "version too old": frame(header(1, 0) + bytes(60)),
    "negative version": frame(header(3, -1)),
    "client id longer than the frame": frame(struct.pack(">hhih", 3, 1, 1, 30_000) + b"x"),
    "client id of length -2": frame(struct.pack(">hhih", 3, 1, 1, -2)),
    "truncated body": frame(header(1, 11) + b"\0\0"),
    "count of a billion": frame(header(3, 1) + struct.pack(">i", 1_000_000_000)),
    "count of 2147483647": frame(header(3, 1) + struct.pack(">i", 0x7FFFFFFF)),
    "count of -2": frame(header(3, 1) + struct.pack(">i", -2)),
    "varint without end": frame(header(3, 12) + b"\0" + b"\xff" * 40),
    "compact count of 2^32": frame(header(3, 12) + b"\0" + b"\xff\xff\xff\xff\x0f"),
    "a billion tags": frame(header(3, 12) + b"\xff\xff\xff\xff\x0f" + b"\0" * 16),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_request_closes_the_connection(server, neighbour, name):
    send_and_be_closed(server, HOSTILE[name])


def send_and_be_closed(server, data):
    with Wire(server) as wire:
        try:
            wire.send_bytes(data)
        except ConnectionError:
            pass
        assert wire.is_closed()


def test_the_log_says_why_a_connection_was_closed(make_server):
    """Of a few; of many in a short time it says how many more there were."""
    reasons = {"TLS": "TLS", "HTTP": "HTTP", "length -1": "-1 bytes",
               "length 2147483647": "2147483647 bytes", "unknown key": "999",
               "version too new": "Fetch version 99", "truncated body": "cut short",
               "count of a billion": "1000000000"}
    server = make_server()
    for name in reasons:
        send_and_be_closed(server, HOSTILE[name])
    for reason in reasons.values():
        eventually(lambda: any("127.0.0.1" in line and '"reason"' in line and reason in line
                               for line in server.log().splitlines()),
                   what=f"a line that says {reason}")


def requests_of_all_kinds():
    """One request of each kind, with what it has when nothing is set."""
    modules = [kafka.protocol.admin, kafka.protocol.consumer, kafka.protocol.metadata,
               kafka.protocol.producer]
    kinds = {value for module in modules for name, value in vars(module).items()
             if name.endswith("Request") and hasattr(value, "API_KEY")}
    return sorted(kinds, key=lambda kind: kind.API_KEY)


def test_damaged_requests_of_every_kind_hurt_nobody(server, neighbour):
    """Each is cut, or has bytes changed; the answer may be anything but an end of the server."""
    chance = random.Random(20)
    offered = {row.api_key: row for row in neighbour.ask(api_versions()).api_keys}
    tried = 0
    for kind in requests_of_all_kinds():
        if kind.API_KEY not in offered:
            continue
        row = offered[kind.API_KEY]
        for version in range(max(row.min_version, kind.min_version),
                             min(row.max_version, kind.max_version) + 1):
            request = kind(version=version)
            request.with_header(1, "fuzz")
            try:
                sound = bytes(request.encode(header=True))
            except (TypeError, ValueError, struct.error, AttributeError):
                continue  # The default of a field is nothing that this version can say.
            damaged = [sound[:chance.randrange(len(sound))] for _ in range(2)]
            for _ in range(4):
                flipped = bytearray(sound)
                for _ in range(chance.randrange(1, 4)):
                    flipped[chance.randrange(10, len(sound))] = chance.randrange(256)
                damaged.append(bytes(flipped))
            for data in damaged:
                with Wire(server) as wire:
                    wire.send_bytes(frame(data))
                    tried += 1
    assert tried > 500
    assert server.is_running()


def test_announced_bytes_cost_nothing_before_they_come(server, neighbour):
    before = server.resident_bytes()
    wires = [Wire(server) for _ in range(100)]
    try:
        for wire in wires:
            wire.send_bytes(struct.pack(">i", 90 * MEBIBYTE) + header(0, 9) + bytes(1000))
        assert neighbour.ask(api_versions()).error_code == NONE
        assert server.resident_bytes() - before < 50 * MEBIBYTE
    finally:
        for wire in wires:
            wire.socket.close()


def test_half_a_request_and_then_silence_hurts_nobody(server, neighbour):
    sound = frame(header(3, 1) + struct.pack(">i", -1))
    for size in range(1, len(sound)):
        with Wire(server) as wire:
            wire.send_bytes(sound[:size])
            if size % 5 == 0:
                assert neighbour.ask(api_versions()).error_code == NONE


def test_a_request_that_comes_byte_by_byte_is_answered(server):
    request = metadata(None, 1)
    request.with_header(1, "slow")
    with Wire(server) as wire:
        wire.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in frame(bytes(request.encode(header=True))):
            wire.send_bytes(bytes([byte]))
        assert wire.receive(request).brokers


def test_a_reader_that_does_not_read_costs_bounded_memory(server, neighbour, make_topic):
    """Hundreds of answers of a megabyte are asked for and not taken; others go on."""
    name = make_topic()
    block = batch([b"x" * 250_000])
    for _ in range(20):
        assert produced(neighbour.ask(produce(name, block))).error_code == NONE
    fetched(neighbour.ask(fetch(name)))
    before = server.resident_bytes()
    with Wire(server) as wire:
        wire.socket.settimeout(1)
        request = fetch(name, most=1 << 20)
        sent = 0
        try:
            for _ in range(500):
                wire.send(request)
                sent += 1
        except TimeoutError:
            pass  # The server reads no further, which is one way of bounding it.
        most = 0
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            assert neighbour.ask(api_versions()).error_code == NONE
            most = max(most, server.resident_bytes() - before)
            time.sleep(0.05)
        assert most < 100 * MEBIBYTE, f"{most / MEBIBYTE:.0f} MiB for one reader"
        # And what was asked for still comes, in order, once it is read.
        wire.socket.settimeout(10)
        for _ in range(min(sent, 20)):
            assert fetched(wire.receive(request)).error_code == NONE


def test_a_hundred_readers_that_vanish_leave_nothing(server, neighbour, topic):
    neighbour.ask(api_versions())
    before = server.descriptor_count()
    wires = [Wire(server) for _ in range(100)]
    for wire in wires:
        wire.send(fetch(topic, wait=60_000))
    for wire in wires[:50]:
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    for wire in wires:
        wire.socket.close()
    eventually(lambda: server.descriptor_count() <= before, what="closed connections")


@pytest.mark.parametrize("damage, errors", [
    ({"crc": 1}, [CORRUPT_MESSAGE]),
    ({"magic": 1}, [43, INVALID_RECORD, CORRUPT_MESSAGE]),
    ({"count": 7, "last_delta": 0}, [INVALID_RECORD, CORRUPT_MESSAGE]),
    ({"count": 0x7FFFFFFF}, [INVALID_RECORD, CORRUPT_MESSAGE]),
    ({"count": 0}, [INVALID_RECORD, CORRUPT_MESSAGE]),
    ({"length": 1 << 30}, [INVALID_RECORD, CORRUPT_MESSAGE, MESSAGE_TOO_LARGE]),
    ({"length": -1}, [INVALID_RECORD, CORRUPT_MESSAGE]),
    ({"length": 10}, [INVALID_RECORD, CORRUPT_MESSAGE]),
    ({"attributes": 5}, [INVALID_RECORD, CORRUPT_MESSAGE, 76]),
    ({"attributes": 0x20}, [INVALID_RECORD, CORRUPT_MESSAGE]),
    ({"attributes": 0x10}, [INVALID_RECORD, CORRUPT_MESSAGE, 48, 49]),
    ({"attributes": 0x7F00}, [INVALID_RECORD, CORRUPT_MESSAGE]),
    ({"records": b"\xff" * 30}, [INVALID_RECORD, CORRUPT_MESSAGE]),
    ({"base_offset": 5}, [INVALID_RECORD, CORRUPT_MESSAGE]),
], ids=str)
def test_a_batch_that_lies_is_refused_alone(server, topic, damage, errors):
    """The answer names an error, nothing is appended, and the connection goes on."""
    with Wire(server) as wire:
        response = wire.ask(produce(topic, batch([b"one", b"two"], **damage)))
        assert produced(response).error_code in errors
        assert listed(wire.ask(list_offsets(topic, -1))).offset == 0
        assert produced(wire.ask(produce(topic, batch([b"sound"])))).error_code == NONE


@pytest.mark.parametrize("records", [b"", b"\0", bytes(60), batch([b"x"]) + b"\0",
                                     batch([b"x"])[:-1]], ids=len)
def test_bytes_that_are_no_batch_are_refused(server, topic, records):
    with Wire(server) as wire:
        assert produced(wire.ask(produce(topic, records))).error_code in (
            CORRUPT_MESSAGE, INVALID_RECORD)
        assert listed(wire.ask(list_offsets(topic, -1))).offset == 0


def test_a_batch_that_expands_without_end_is_refused_or_kept_as_it_is(server, topic):
    """A megabyte of zeros in a kilobyte, claimed to be one record."""
    with Wire(server) as wire:
        before = server.resident_bytes()
        import gzip
        bomb = batch([b"x"], attributes=1, records=gzip.compress(bytes(300 * MEBIBYTE), 9))
        assert produced(wire.ask(produce(topic, bomb))).error_code in (
            CORRUPT_MESSAGE, INVALID_RECORD, MESSAGE_TOO_LARGE)
        assert server.resident_bytes() - before < 100 * MEBIBYTE
