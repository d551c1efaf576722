# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a request becomes a typed error, soon and cheaply; others go on."""

import gzip
import struct
import zlib

import grpc
import pytest

import batches
from clients import Client, book, logs, place, records, status_of, topics

INVALID = grpc.StatusCode.INVALID_ARGUMENT
NAMES = ["../../etc", ".", "..", "a/b", "a\0b", "", "x" * 300, "x" * 250, "é", " ", "a b", "\n", "a\\b",
         "%2e%2e", "~"]


@pytest.mark.parametrize("name", NAMES)
def test_a_bad_topic_name_is_refused_everywhere(client, shared, name):
    files = sorted(path.relative_to(shared.directory) for path in shared.data.rglob("*"))
    calls = [
        lambda: client.create(name),
        lambda: client.produce(name, [b"x"]),
        lambda: client.consume(name),
        lambda: client.offsets(name, earliest=logs.Earliest()),
        lambda: client.topics.DescribeTopic(topics.DescribeTopicRequest(name=name), timeout=20),
        lambda: client.topics.ConfigureTopic(topics.ConfigureTopicRequest(name=name), timeout=20),
        lambda: client.topics.DeleteTopic(topics.DeleteTopicRequest(name=name), timeout=20),
        lambda: client.topics.DeleteRecords(topics.DeleteRecordsRequest(topic=name), timeout=20),
    ]
    for call in calls:
        code, reason, _ = status_of(call)
        assert code == INVALID and reason in ("CW-1004", "CW-1001")
    assert files == sorted(path.relative_to(shared.directory) for path in shared.data.rglob("*"))


@pytest.mark.parametrize("count", [-1, 1025, 2**31 - 1])
def test_a_bad_number_of_partitions_is_refused(client, count):
    code, reason, _ = status_of(lambda: client.create("many", partitions=count))
    assert (code, reason) == (INVALID, "CW-1005")


@pytest.mark.parametrize("settings, reason", [
    ({"retention_sm": 1}, "CW-1013"), ({"retention_ms": "soon"}, "CW-1012"),
    ({"segment_bytes": 1}, "CW-1012"), ({"segment_bytes": 2**63}, "CW-1012"),
    ({"durability": "maybe"}, "CW-1012"), ({"max_message_bytes": -5}, "CW-1012")])
def test_a_bad_setting_is_refused(client, settings, reason):
    assert status_of(lambda: client.create("set", **settings))[:2] == (INVALID, reason)


@pytest.mark.parametrize("partition, code", [
    (-1, INVALID), (1, grpc.StatusCode.NOT_FOUND), (2**31 - 1, grpc.StatusCode.NOT_FOUND)])
def test_a_partition_that_is_not_there_is_refused(client, topic, partition, code):
    assert status_of(lambda: client.produce(topic, [b"x"], partition))[0] == code
    assert status_of(lambda: client.consume(topic, 0, partition))[0] == code


def test_requests_that_say_nothing_are_refused(client, topic):
    empty = logs.StartPosition(partition=place(topic))
    calls = [
        lambda: client.log.Produce(logs.ProduceRequest(), timeout=20),
        lambda: client.produce(topic, []),
        lambda: client.log.Consume(logs.ConsumeRequest(), timeout=20),
        lambda: client.log.Consume(logs.ConsumeRequest(positions=[empty]), timeout=20),
        lambda: client.consume(topic, -1),
        lambda: client.consume(topic, -2**63),
        lambda: client.consume(topic, message_bytes_max=-1),
        lambda: client.log.ListOffsets(logs.ListOffsetsRequest(), timeout=20),
        lambda: client.topics.DeleteRecords(
            topics.DeleteRecordsRequest(topic=topic, before_offset=-2), timeout=20),
        lambda: client.log.Produce(logs.ProduceRequest(
            partition=place(topic), records=[records.Record()],
            encoded_batch=batches.batch([b"x"])), timeout=20),
    ]
    for number, call in enumerate(calls):
        assert status_of(call)[0] == INVALID, number


def with_records_section(data, count):
    """A batch whose checksum is right and whose records are as given."""
    return batches.batch([b"x"] * count, records=data)


SOUND = batches.batch([b"one", b"two"])
HUGE = batches.varint(2**31)
BAD_BATCHES = {
    "nothing but zeros": bytes(61),
    "one byte": b"\0",
    "cut in its header": SOUND[:40],
    "cut in its records": SOUND[:-1],
    "a byte too many": SOUND + b"\0",
    "two batches": SOUND + SOUND,
    "length 0": batches.batch([b"x"], length=0),
    "length -1": batches.batch([b"x"], length=-1),
    "length 2^31 - 1": batches.batch([b"x"], length=2**31 - 1),
    "length -2^31": batches.batch([b"x"], length=-2**31),
    "magic 1": batches.batch([b"x"], magic=1),
    "magic 3": batches.batch([b"x"], magic=3),
    "checksum": batches.batch([b"x"], crc=0),
    "record count 0": batches.batch([], records=b"", last_delta=-1),
    "record count -1": batches.batch([b"x"], count=-1),
    "record count 2^31 - 1": batches.batch([b"x"], count=2**31 - 1),
    "more records than it says": batches.batch([b"a", b"b"], count=1, last_delta=0),
    "fewer records than it says": batches.batch([b"a", b"b"], count=3, last_delta=2),
    "last offset delta -1": batches.batch([b"x"], last_delta=-1),
    "last offset delta 2^31 - 1": batches.batch([b"x"], last_delta=2**31 - 1),
    "unknown codec 5": batches.batch([b"x"], attributes=5),
    "unknown codec 7": batches.batch([b"x"], attributes=7),
    "record length 0": with_records_section(batches.varint(0), 1),
    "record length -1": with_records_section(batches.varint(-1), 1),
    "record length 2^31": with_records_section(HUGE + b"\0" * 8, 1),
    "an endless varint": with_records_section(b"\xff" * 20, 1),
    "key length 2^31": with_records_section(
        batches.varint(12) + b"\0\0\0" + HUGE + b"\0" * 4, 1),
    "key length -2": with_records_section(batches.varint(8) + b"\0\0\0" + batches.varint(-2) + b"\0" * 4, 1),
    "value length 2^31": with_records_section(
        batches.varint(13) + b"\0\0\0" + batches.varint(-1) + HUGE + b"\0" * 4, 1),
    "header count 2^31": with_records_section(
        batches.varint(13) + b"\0\0\0" + batches.varint(-1) + batches.varint(-1) + HUGE + b"\0" * 3, 1),
    "header count -1": with_records_section(
        batches.varint(6) + b"\0\0\0" + batches.varint(-1) * 3, 1),
    "offset deltas out of order": batches.batch(
        [b"a", b"b"], records=batches.record(1, b"a") + batches.record(0, b"b")),
}


@pytest.mark.parametrize("what", BAD_BATCHES)
def test_a_bad_batch_is_refused(client, topic, what):
    code, reason, _ = status_of(lambda: client.produce_encoded(topic, BAD_BATCHES[what]))
    assert code in (INVALID, grpc.StatusCode.DATA_LOSS), what
    assert reason in ("CW-1008", "CW-1009", "CW-1010", "CW-1011", "CW-1001"), what
    assert client.end(topic) == 0
    assert client.produce_encoded(topic, SOUND).base_offset == 0


def test_a_flipped_bit_anywhere_behind_the_epoch_is_refused(client, topic):
    for position in range(16, len(SOUND)):
        damaged = bytearray(SOUND)
        damaged[position] ^= 1 << (position % 8)
        status_of(lambda: client.produce_encoded(topic, bytes(damaged)))
    assert client.end(topic) == 0


def bomb(opened_bytes, count):
    """A record section of zeros that opens to so many bytes, as gzip."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    data = packer.compress(batches.varint(opened_bytes - 5))
    for _ in range(opened_bytes >> 20):
        data += packer.compress(bytes(1 << 20))
    return batches.batch([b"x"] * count, attributes=1, records=data + packer.flush())


@pytest.mark.parametrize("what", ["opens to 512 MiB", "not gzip", "cut", "claims a false size"])
def test_a_gzip_bomb_harms_nobody(client, topic, shared, what):
    whole = gzip.compress(b"".join(batches.record(n, b"x") for n in range(3)))
    encoded = {
        "opens to 512 MiB": lambda: bomb(512 << 20, 1),
        "not gzip": lambda: batches.batch([b"x"], attributes=1, records=b"not gzip at all"),
        "cut": lambda: batches.batch([b"x"] * 3, attributes=1, records=whole[:-9]),
        "claims a false size": lambda: batches.batch(
            [b"x"] * 3, attributes=1, records=whole[:-4] + struct.pack("<I", 2**32 - 1)),
    }[what]()
    before = shared.resident_bytes()
    try:
        client.produce_encoded(topic, encoded)
    except grpc.RpcError as error:
        assert error.code() in (INVALID, grpc.StatusCode.DATA_LOSS)
        assert client.end(topic) == 0
    else:
        # Batches are stored unopened. Whoever wants records is then told what is wrong with them,
        # and whoever wants batches gets them.
        code, reason, _ = status_of(lambda: client.consume(topic))
        assert reason in ("CW-1010", "CW-1011", "CW-2003"), (code, reason)
        assert len(list(client.consume(topic, encoded=True))) == 1
    assert shared.resident_bytes() - before < 300 << 20
    other = client.create(f"{topic}-other").name
    assert client.produce(other, [b"fine"]).base_offset == 0
    assert client.read(other) == [(0, b"fine")]


def test_a_record_over_the_limit_of_its_topic_is_refused(client):
    name = client.create("small", max_message_bytes=2_000).name
    code, reason, _ = status_of(lambda: client.produce(name, [b"x" * 3_000]))
    assert (code, reason) == (INVALID, "CW-1008")
    code, reason, _ = status_of(
        lambda: client.produce_encoded(name, batches.batch([b"x" * 3_000])))
    assert (code, reason) == (INVALID, "CW-1008")
    assert client.produce(name, [b"x" * 1_000]).base_offset == 0


def test_a_record_over_the_limit_of_the_book_is_refused(client):
    request = book.ProduceRequest(record=book.Record(value=b"x" * (2 << 20)))
    code, reason, _ = status_of(lambda: client.book.Produce(request, timeout=20))
    assert (code, reason) == (INVALID, "CW-1008")


def test_a_message_over_the_limit_of_the_server_is_refused(client, shared, topic):
    before = shared.resident_bytes()
    with pytest.raises(grpc.RpcError) as raised:
        client.produce(topic, [b"x" * (64 << 20)])
    assert raised.value.code() == INVALID and "CW-1008" in raised.value.details()
    assert shared.resident_bytes() - before < 48 << 20
    assert Client(shared.channel()).produce(topic, [b"fine"]).base_offset == 0


def test_a_message_over_the_limit_ends_a_stream_and_not_the_connection(client, topic):
    def requests():
        for size in (10, 1_000, 8 << 20, 10):
            yield logs.ProduceStreamRequest(
                partition=place(topic), records=[records.Record(value=b"x" * size)])

    with pytest.raises(grpc.RpcError) as raised:
        list(client.log.ProduceStream(requests(), timeout=20))
    assert raised.value.code() == INVALID and "CW-1008" in raised.value.details()
    assert client.produce(topic, [b"fine"]).base_offset == 2


def test_bytes_that_are_no_message_are_refused(shared):
    channel = shared.channel()
    for method in ("/cordwood.v1.LogService/Produce", "/log.v1.Log/Produce",
                   "/cordwood.v1.TopicService/CreateTopic"):
        for raw in (b"\xff" * 50, b"\x0a\xff\xff\xff\xff\x0f", b"\x08"):
            code, _, _ = status_of(lambda: channel.unary_unary(method)(raw, timeout=20))
            assert code in (INVALID, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN)


def test_an_unknown_method_is_unimplemented(shared):
    call = shared.channel().unary_unary("/cordwood.v1.LogService/NoSuchMethod")
    assert status_of(lambda: call(b"", timeout=20))[0] == grpc.StatusCode.UNIMPLEMENTED


def test_more_positions_than_anyone_needs_are_refused(client, topic):
    position = logs.StartPosition(partition=place(topic), earliest=logs.Earliest())
    request = logs.ListOffsetsRequest(positions=[position] * 5_000)
    assert status_of(lambda: client.log.ListOffsets(request, timeout=20))[0] == INVALID
