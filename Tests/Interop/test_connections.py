# SPDX-License-Identifier: Apache-2.0
"""Slow, silent and greedy connections are closed or held back, and harm nobody else."""

import socket
import time

import grpc
import pytest

from clients import Client, logs, place, records, status_of
from server import eventually

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
EMPTY_SETTINGS = b"\0\0\0\4\0\0\0\0\0"


@pytest.fixture
def strict(make_server):
    """A server whose deadlines are short enough to wait for."""
    return make_server({
        "limits.handshake": "1s", "limits.keepalive.time": "1s", "limits.keepalive.timeout": "1s",
        "limits.connection.per_address": 20})


def connect(server):
    host, port = server.address.split(":")
    return socket.create_connection((host, int(port)), timeout=20)


def closes_within(connection, seconds):
    """Reads until the other side closes."""
    connection.settimeout(seconds)
    began = time.monotonic()
    try:
        while connection.recv(65536):
            pass
    except ConnectionResetError:
        pass
    except TimeoutError:
        return False
    return time.monotonic() - began < seconds


def assert_healthy(server, topic="healthy"):
    client = Client(server.channel())
    try:
        client.create(topic)
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.ALREADY_EXISTS
    for _ in range(10):
        began = time.monotonic()
        client.produce(topic, [b"x"])
        assert time.monotonic() - began < 2


def test_a_silent_connection_is_closed_by_the_handshake_deadline(strict):
    connections = [connect(strict) for _ in range(5)]
    assert_healthy(strict)
    assert all(closes_within(connection, 6) for connection in connections)


def test_a_preface_byte_by_byte_is_closed_by_the_handshake_deadline(strict):
    connection = connect(strict)
    began = time.monotonic()
    try:
        for byte in PREFACE + EMPTY_SETTINGS:
            connection.send(bytes([byte]))
            time.sleep(0.25)
            assert time.monotonic() - began < 8, "still open"
    except OSError:
        pass
    else:
        assert closes_within(connection, 6)
    assert_healthy(strict)


def test_a_client_that_answers_no_ping_is_closed(strict):
    connection = connect(strict)
    connection.sendall(PREFACE + EMPTY_SETTINGS)
    assert_healthy(strict)
    assert closes_within(connection, 12)


@pytest.mark.parametrize("greeting", [
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\xff" * 100,
    PREFACE + b"\xff\xff\xff\4\0\0\0\0\0", PREFACE + EMPTY_SETTINGS + b"\0\0\4\x3e\0\0\0\0\1abcd"])
def test_other_protocols_are_closed_and_harm_nobody(strict, greeting):
    connection = connect(strict)
    connection.sendall(greeting)
    assert closes_within(connection, 8)
    assert_healthy(strict)


def test_connections_of_one_address_are_limited(strict):
    connections = [connect(strict) for _ in range(60)]
    for connection in connections:
        try:
            connection.sendall(PREFACE + EMPTY_SETTINGS)
        except OSError:
            pass

    def refused():
        count = 0
        for connection in connections:
            connection.settimeout(0.01)
            try:
                if connection.recv(65536) == b"":
                    count += 1
            except TimeoutError:
                pass
            except OSError:
                count += 1
        return count >= 40

    eventually(refused, 8, "the limit of connections")
    for connection in connections:
        connection.close()
    eventually(lambda: strict.descriptor_count() < 60, 10, "closing")
    assert_healthy(strict)


def test_many_connections_that_come_and_go_leave_nothing(strict):
    before = strict.descriptor_count()
    for _ in range(300):
        connection = connect(strict)
        connection.sendall(PREFACE + EMPTY_SETTINGS)
        connection.close()
    eventually(lambda: strict.descriptor_count() <= before + 5, 10, "closing of descriptors")
    assert_healthy(strict)


def test_a_consumer_that_does_not_read_holds_back_nobody(make_server):
    server = make_server()
    writer = Client(server.channel())
    writer.create("bulk", durability="os")
    value = b"x" * 500_000
    for _ in range(200):
        writer.produce("bulk", [value])
    before = server.resident_bytes()
    # Nobody takes messages from these streams, so flow control must stop the server.
    stalled = [Client(server.channel()).consume("bulk", timeout=60) for _ in range(5)]
    for stream in stalled:
        next(stream)
    time.sleep(1)
    assert server.resident_bytes() - before < 128 << 20
    assert_healthy(server)
    began = time.monotonic()
    assert len(Client(server.channel()).read("bulk")) == 200
    assert time.monotonic() - began < 30
    for stream in stalled:
        stream.cancel()


def test_a_producer_that_reads_no_answers_is_held_back(make_server):
    server = make_server()
    client = Client(server.channel())
    client.create("unread", durability="os")
    sent = 0

    def requests():
        nonlocal sent
        deadline = time.monotonic() + 4
        while time.monotonic() < deadline:
            sent += 1
            yield logs.ProduceStreamRequest(
                partition=place("unread"), records=[records.Record(value=b"x" * 100)])

    stream = client.log.ProduceStream(requests(), timeout=30)
    time.sleep(5)
    assert server.resident_bytes() < 400 << 20
    assert_healthy(server)
    stream.cancel()
    assert sent > 0
