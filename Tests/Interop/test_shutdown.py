# SPDX-License-Identifier: Apache-2.0
"""A signal ends the server soon, whoever is connected; an idle server costs nothing."""

import signal
import threading
import time

import grpc
import pytest

from clients import Client, book, logs, place, records
from server import eventually


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_with_consumers_attached(make_server, number):
    server = make_server()
    client = Client(server.channel())
    client.create("watched")
    client.produce("watched", [b"x"])
    streams = [client.consume("watched", follow=True, timeout=60) for _ in range(3)]
    streams += [client.book.ConsumeStream(book.ConsumeRequest(offset=0), timeout=60)]
    for stream in streams[:3]:
        next(stream)
    ends = []

    def follow(stream):
        try:
            for _ in stream:
                pass
            ends.append(grpc.StatusCode.OK)
        except grpc.RpcError as error:
            ends.append(error.code())

    threads = [threading.Thread(target=follow, args=(stream,)) for stream in streams]
    for thread in threads:
        thread.start()
    began = time.monotonic()
    server.process.send_signal(number)
    assert server.wait(10) == 0
    assert time.monotonic() - began < 10
    for thread in threads:
        thread.join(10)
    assert len(ends) == 4 and set(ends) <= {grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE}


def test_records_that_were_sent_are_answered_before_the_server_ends(make_server):
    server = make_server()
    client = Client(server.channel())
    client.create("flushed")
    acknowledged, stop = [], threading.Event()

    def requests():
        number = 0
        while not stop.is_set():
            yield logs.ProduceStreamRequest(
                partition=place("flushed"), records=[records.Record(value=b"%d" % number)])
            number += 1
            time.sleep(0.001)

    def produce():
        try:
            for answer in client.log.ProduceStream(requests(), timeout=60):
                if not answer.HasField("error"):
                    acknowledged.append(answer.base_offset)
        except grpc.RpcError:
            pass

    thread = threading.Thread(target=produce)
    thread.start()
    eventually(lambda: len(acknowledged) > 50, what="load")
    assert server.stop(10) == 0
    stop.set()
    thread.join(20)
    server.start()
    values = Client(server.channel()).read("flushed")
    assert [value for _, value in values] == [b"%d" % n for n in range(len(values))]
    assert acknowledged == list(range(len(acknowledged))) and len(values) >= len(acknowledged)


def test_a_second_signal_is_faster(make_server):
    server = make_server()
    # A stalled consumer and an unfinished producer: reasons to take time over a graceful stop.
    client = Client(server.channel())
    client.create("stalled", durability="os")
    for _ in range(20):
        client.produce("stalled", [b"x" * 500_000])
    stalled = client.consume("stalled", follow=True, timeout=60)
    next(stalled)
    release = threading.Event()

    def requests():
        yield logs.ProduceStreamRequest(
            partition=place("stalled"), records=[records.Record(value=b"x")])
        release.wait(30)

    unfinished = client.log.ProduceStream(requests(), timeout=60)
    next(unfinished)
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.05)
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    status = server.wait(3)
    release.set()
    assert time.monotonic() - began < 3
    assert status in (0, 128 + signal.SIGTERM)
    server.start()
    assert len(Client(server.channel()).read("stalled")) == 21


def test_no_new_work_is_taken_while_stopping(make_server):
    server = make_server()
    client = Client(server.channel())
    client.create("last")
    client.produce("last", [b"x"])
    server.process.send_signal(signal.SIGTERM)
    server.wait(10)
    with pytest.raises(grpc.RpcError) as raised:
        client.produce("last", [b"y"], timeout=2)
    assert raised.value.code() in (
        grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
    server.start()
    assert Client(server.channel()).read("last") == [(0, b"x")]


def test_an_idle_consumer_costs_no_processor_time(make_server):
    server = make_server()
    client = Client(server.channel())
    client.create("idle", partitions=3)
    position = [logs.StartPosition(partition=place("idle", number), latest=logs.Latest())
                for number in range(3)]
    streams = [client.log.Consume(logs.ConsumeRequest(positions=position, follow=True), timeout=60)
               for _ in range(5)]
    streams += [client.book.ConsumeStream(book.ConsumeRequest(offset=0), timeout=60)
                for _ in range(5)]
    time.sleep(0.5)
    before = server.cpu_seconds()
    time.sleep(3)
    used = server.cpu_seconds() - before
    assert used <= 0.06, f"{used:.2f} s of processor time in 3 s"
    client.produce("idle", [b"awake"], partition=2)
    client.book.Produce(book.ProduceRequest(record=book.Record(value=b"awake")), timeout=20)
    for stream in streams[:5]:
        assert next(stream).records[0].value == b"awake"
    for stream in streams[5:]:
        assert next(stream).record.value == b"awake"


def test_a_consumer_that_left_is_forgotten(make_server):
    server = make_server()
    client = Client(server.channel())
    client.create("left")
    for _ in range(200):
        stream = client.consume("left", follow=True, timeout=60)
        stream.cancel()
    began = time.monotonic()
    client.produce("left", [b"x"])
    assert time.monotonic() - began < 2
    assert server.stop(10) == 0
