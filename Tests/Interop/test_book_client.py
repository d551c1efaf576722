# SPDX-License-Identifier: Apache-2.0
"""A grpcio client of log.v1, the book's API."""

import threading
import time

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from clients import book, status_of


def produce(client, value, **fields):
    request = book.ProduceRequest(record=book.Record(value=value, **fields))
    return client.book.Produce(request, timeout=20).offset


def consume(client, offset):
    return client.book.Consume(book.ConsumeRequest(offset=offset), timeout=20).record


def test_a_record_comes_back_as_it_went(client):
    offset = produce(client, b"hello\0world", type=7)
    record = consume(client, offset)
    assert (record.value, record.offset, record.type) == (b"hello\0world", offset, 7)
    assert record.term >= 1


def test_an_empty_value_is_a_record(client):
    offset = produce(client, b"")
    assert consume(client, offset).value == b""


def test_offset_and_term_of_a_request_are_ignored(client):
    first = produce(client, b"one")
    assert produce(client, b"two", offset=2**60, term=2**60) == first + 1


def test_an_offset_outside_is_out_of_range_with_the_valid_range(client):
    end = produce(client, b"last") + 1
    with pytest.raises(grpc.RpcError) as raised:
        consume(client, end + 100)
    assert raised.value.code() == grpc.StatusCode.OUT_OF_RANGE
    code, reason, metadata = status_of(lambda: consume(client, end))
    assert (code, reason) == (grpc.StatusCode.OUT_OF_RANGE, "CW-1007")
    assert metadata["first_offset"] == "0" and int(metadata["next_offset"]) == end
    localized = error_details_pb2.LocalizedMessage()
    details = rpc_status.from_call(raised.value).details
    assert any(detail.Unpack(localized) for detail in details)
    assert str(end + 100) in localized.message


@pytest.mark.parametrize("offset", [2**63 - 1, 2**63, 2**64 - 1])
def test_an_offset_beyond_all_is_out_of_range(client, offset):
    assert status_of(lambda: consume(client, offset))[0] == grpc.StatusCode.OUT_OF_RANGE


def test_a_request_without_a_record_is_invalid(client):
    code, reason, _ = status_of(lambda: client.book.Produce(book.ProduceRequest(), timeout=20))
    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "CW-1001")


def test_a_pipelined_stream_answers_each_record_in_order(client):
    count = 2_000
    sent_all = threading.Event()

    def requests():
        for number in range(count):
            yield book.ProduceRequest(record=book.Record(value=b"p%d" % number))
        sent_all.set()

    answers = client.book.ProduceStream(requests(), timeout=60)
    offsets = [answer.offset for answer in answers]
    assert sent_all.is_set() and len(offsets) == count
    assert offsets == sorted(set(offsets))
    for number in (0, 1, count // 2, count - 1):
        assert consume(client, offsets[number]).value == b"p%d" % number


def test_a_stream_is_answered_before_it_is_half_closed(client):
    go_on = threading.Event()

    def requests():
        yield book.ProduceRequest(record=book.Record(value=b"first"))
        go_on.wait(20)
        yield book.ProduceRequest(record=book.Record(value=b"second"))

    answers = client.book.ProduceStream(requests(), timeout=20)
    first = next(answers)
    go_on.set()
    assert next(answers).offset == first.offset + 1
    assert list(answers) == [] and answers.code() == grpc.StatusCode.OK


def test_a_following_stream_gets_what_is_produced_later(client):
    start = produce(client, b"before")
    stream = client.book.ConsumeStream(book.ConsumeRequest(offset=start), timeout=20)
    assert next(stream).record.value == b"before"
    for number in range(20):
        value = b"later %d" % number
        offset = produce(client, value)
        record = next(stream).record
        assert (record.offset, record.value) == (offset, value)
    stream.cancel()


def test_a_deadline_ends_a_following_stream_in_time(client):
    end = produce(client, b"tail") + 1
    began = time.monotonic()
    stream = client.book.ConsumeStream(book.ConsumeRequest(offset=end), timeout=0.5)
    with pytest.raises(grpc.RpcError) as raised:
        next(stream)
    assert raised.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert time.monotonic() - began < 3


def test_a_cancelled_stream_leaves_others_alone(client):
    end = produce(client, b"tail") + 1
    streams = [client.book.ConsumeStream(book.ConsumeRequest(offset=end), timeout=20)
               for _ in range(10)]
    for stream in streams[:9]:
        stream.cancel()
    produce(client, b"for the last")
    assert next(streams[9]).record.value == b"for the last"
    streams[9].cancel()


def test_one_server_leads_and_can_be_called(client, shared):
    servers = client.book.GetServers(book.GetServersRequest(), timeout=20).servers
    assert [server.is_leader for server in servers] == [True]
    assert servers[0].rpc_addr == shared.address and servers[0].id
