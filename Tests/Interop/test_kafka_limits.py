# SPDX-License-Identifier: Apache-2.0
"""What the listener is set to: patience, numbers of connections, sizes, addresses, new topics."""

import socket
import struct
import time

import pytest

from clients import Client
from kafka_clients import CONFLUENT, KCAT, Record
from kafka_wire import (
    NONE, UNKNOWN_TOPIC_OR_PARTITION, Wire, api_versions, batch, fetch, fetched, metadata, produce,
    produced)
from server import refusal_of


def test_connections_that_do_nothing_are_closed_and_those_that_wait_are_not(make_server):
    server = make_server({"limits.connection.idle": "2s", "limits.handshake": "1s"})
    Client(server.channel()).create("waiting")
    began = time.monotonic()
    silent, half, idle, waiting = (Wire(server) for _ in range(4))
    half.send_bytes(struct.pack(">i", 100) + b"\0\x12")
    assert idle.ask(api_versions()).error_code == NONE
    request = fetch("waiting", wait=5000)
    number = waiting.send(request)
    assert silent.is_closed() and half.is_closed() and idle.is_closed()
    assert time.monotonic() - began < 5
    assert fetched(waiting.receive(request, number)).error_code == NONE
    assert time.monotonic() - began >= 4.9
    assert "has not come in full" in server.log()
    for wire in (silent, half, idle, waiting):
        wire.socket.close()


def test_one_address_has_so_many_connections(make_server):
    server = make_server({"limits.connection.per_address": 5})
    wires = [Wire(server) for _ in range(5)]
    for wire in wires:
        assert wire.ask(api_versions()).error_code == NONE
    with Wire(server) as more:
        assert more.is_closed()
    assert wires[0].ask(api_versions()).error_code == NONE
    wires.pop().socket.close()
    # Clients come back by themselves, so it is enough that one of the next is let in.
    deadline = time.monotonic() + 5
    while True:
        with Wire(server) as again:
            try:
                assert again.ask(api_versions()).error_code == NONE
                break
            except (ConnectionError, BrokenPipeError):
                assert time.monotonic() < deadline
    for wire in wires:
        wire.socket.close()


def test_clients_are_told_the_address_that_is_set(make_server):
    server = make_server({"listen.kafka.advertise": "kafka.example.org:19092"})
    with Wire(server) as wire:
        broker, = wire.ask(metadata(None)).brokers
        assert (broker.host, broker.port) == ("kafka.example.org", 19092)


def test_no_topic_is_made_where_none_may_be(make_server):
    server = make_server({"kafka.auto_create_topics": "false"})
    with Wire(server) as wire:
        assert wire.ask(metadata(["new"], creates=True)).topics[0].error_code \
            == UNKNOWN_TOPIC_OR_PARTITION
        assert "new" not in [row.name for row in wire.ask(metadata(None)).topics]


def test_requests_and_answers_are_as_large_as_is_set(make_server):
    server = make_server({"kafka.limits.request": 100_000, "kafka.limits.fetch": 50_000})
    Client(server.channel()).create("sizes")
    with Wire(server) as wire:
        for _ in range(4):
            assert produced(wire.ask(produce("sizes", batch([b"x" * 20_000])))).error_code == NONE
        got = fetched(wire.ask(fetch("sizes", most=1 << 30, partition_most=1 << 30))).records
        assert 20_000 < len(got) <= 50_000
        wire.send_bytes(struct.pack(">i", 100_001))
        assert wire.is_closed()


def test_a_server_without_the_listener_serves_grpc(make_server):
    server = make_server({"listen.kafka.address": "none"})
    assert server.kafka is None
    Client(server.channel()).create("quiet")


@pytest.mark.parametrize("address, code", [(None, "CW-3003"), ("0.0.0.0:0", "CW-3004")])
def test_an_address_that_cannot_be_is_said_so(binary, tmp_path, address, code):
    """One that is taken, and one that others can reach though there is no TLS."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = address or f"127.0.0.1:{taken.getsockname()[1]}"
        said = refusal_of(binary, {
            "data_dir": tmp_path / "data", "listen.grpc.address": "127.0.0.1:0",
            "listen.kafka.address": address})
    assert code in said and "kafka" in said.lower()


@pytest.mark.parametrize("client", [KCAT, CONFLUENT], ids=["kcat", "confluent"])
def test_small_windows_slow_a_producer_down_and_lose_nothing(make_server, client):
    server = make_server({"kafka.limits.connection": 1 << 16, "kafka.limits.total": 1 << 20})
    Client(server.channel()).create("windows")
    records = [Record(b"k", b"%d " % number + b"x" * 20_000) for number in range(
        5 if client is KCAT else 500)]
    client.write(server, "windows", records)
    assert [record.value for record in client.read(server, "windows")] == [
        record.value for record in records]
