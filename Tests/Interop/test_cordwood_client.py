# SPDX-License-Identifier: Apache-2.0
"""A grpcio client of cordwood.v1."""

import queue
import threading
import time

import grpc
import pytest

import batches
from clients import Client, logs, place, records, status_of, topics

# The server sends decoded records and keeps the codec to itself.
GZIPPABLE = [b"the same words again and again " * 20 for _ in range(50)]


def test_records_keep_key_value_headers_and_time(client, topic):
    sent = [
        records.Record(key=b"k", value=b"v", timestamp_ms=1_700_000_000_123, headers=[
            records.Header(name="a", value=b"1"), records.Header(name="a", value=b""),
            records.Header(name="none")]),
        records.Record(key=b"", value=b"", timestamp_ms=1_700_000_000_100),
        records.Record(timestamp_ms=1_700_000_000_200),
    ]
    request = logs.ProduceRequest(partition=place(topic), records=sent)
    response = client.log.Produce(request, timeout=20)
    assert (response.base_offset, response.record_count) == (0, 3)
    assert abs(response.append_time_ms / 1000 - time.time()) < 60
    got = [record for message in client.consume(topic) for record in message.records]
    for offset, record in enumerate(sent):
        record.offset = offset
    assert got == sent
    assert got[1].HasField("key") and not got[2].HasField("key") and not got[2].HasField("value")


def test_a_record_without_a_time_gets_the_servers(client, topic):
    client.produce(topic, [b"now"])
    message = next(client.consume(topic))
    assert abs(message.records[0].timestamp_ms / 1000 - time.time()) < 60


@pytest.mark.parametrize("codec", ["none", "gzip"])
def test_an_encoded_batch_is_read_record_by_record(client, topic, codec):
    client.produce(topic, [b"before"])
    sent = batches.batch(GZIPPABLE, codec=codec)
    assert client.produce_encoded(topic, sent).base_offset == 1
    assert client.read(topic, 1) == list(enumerate(GZIPPABLE, 1))


@pytest.mark.parametrize("codec", ["none", "gzip"])
def test_an_encoded_batch_comes_back_as_it_went(client, topic, codec):
    client.produce(topic, [b"before"])
    sent = batches.batch(GZIPPABLE, codec=codec)
    client.produce_encoded(topic, sent)
    data = b"".join(m.encoded_batches for m in client.consume(topic, 1, encoded=True))
    # All but base offset and leader epoch, which are the server's to write.
    assert data[8:12] + data[16:] == sent[8:12] + sent[16:]
    assert [(offset, value) for offset, _, value, _ in batches.read_batches(data)] == list(
        enumerate(GZIPPABLE, 1))


def test_what_the_server_encodes_is_a_sound_batch(client, topic):
    request = logs.ProduceRequest(partition=place(topic), records=[
        records.Record(key=b"k", value=b"v", headers=[records.Header(name="h", value=b"x")]),
        records.Record()])
    client.log.Produce(request, timeout=20)
    data = b"".join(m.encoded_batches for m in client.consume(topic, encoded=True))
    assert list(batches.read_batches(data)) == [
        (0, b"k", b"v", [("h", b"x")]), (1, None, None, [])]


def test_a_pipelined_stream_answers_each_batch_in_order(client, topic):
    count, size = 500, 20

    def requests():
        for number in range(count):
            values = [b"%d/%d" % (number, index) for index in range(size)]
            yield logs.ProduceStreamRequest(
                partition=place(topic) if number == 0 else None,
                records=[records.Record(value=value) for value in values])

    answers = list(client.log.ProduceStream(requests(), timeout=60))
    assert [answer.base_offset for answer in answers] == [n * size for n in range(count)]
    assert all(answer.record_count == size and not answer.HasField("error") for answer in answers)
    values = [value for _, value in client.read(topic)]
    assert values == [b"%d/%d" % (n, index) for n in range(count) for index in range(size)]


def test_a_bad_batch_of_a_stream_does_not_harm_the_others(client, topic):
    good = logs.ProduceStreamRequest(partition=place(topic), encoded_batch=batches.batch([b"good"]))
    bad = logs.ProduceStreamRequest(encoded_batch=batches.batch([b"bad"], crc=1))
    lost = logs.ProduceStreamRequest(
        partition=place("no-such-topic"), records=[records.Record(value=b"x")])
    answers = list(client.log.ProduceStream(iter([good, bad, good, lost, good]), timeout=20))
    assert [answer.base_offset for answer in answers] == [0, -1, 1, -1, 2]
    assert answers[1].error.code in ("CW-1009", "CW-1010") and answers[1].error.message
    assert answers[3].error.code == "CW-1002"
    assert answers[3].error.grpc_code == grpc.StatusCode.NOT_FOUND.value[0]
    assert [value for _, value in client.read(topic)] == [b"good"] * 3


def test_concurrent_writers_get_offsets_of_their_own(client, topic):
    offsets = queue.Queue()

    def write(writer):
        for number in range(50):
            offset = client.produce(topic, [b"%d %d" % (writer, number)]).base_offset
            offsets.put((offset, b"%d %d" % (writer, number)))

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(offsets.queue) == client.read(topic)


@pytest.mark.parametrize("start, first", [
    ({"earliest": logs.Earliest()}, 0), ({"offset": 7}, 7), ({"timestamp_ms": 1_000_007}, 7),
    ({"last": 3}, 7), ({"last": 99}, 0), ({"latest": logs.Latest()}, 10),
    ({"timestamp_ms": 2_000_000}, 10)])
def test_a_consumer_starts_where_it_says(client, topic, start, first):
    for number in range(10):
        request = logs.ProduceRequest(partition=place(topic), records=[
            records.Record(value=b"%d" % number, timestamp_ms=1_000_000 + number)])
        client.log.Produce(request, timeout=20)
    position = logs.StartPosition(partition=place(topic), **start)
    request = logs.ConsumeRequest(positions=[position])
    got = [record.offset for message in client.log.Consume(request, timeout=20)
           for record in message.records]
    assert got == list(range(first, 10))
    assert client.offsets(topic, **start).offset == first


def test_a_consumer_that_does_not_follow_ends_at_the_tail(client, topic):
    client.produce(topic, [b"x"] * 3)
    answers = list(client.consume(topic))
    assert (answers[-1].next_offset, answers[-1].high_watermark) == (3, 3)
    assert list(client.consume(topic, 3)) == []


def test_a_following_consumer_gets_several_partitions(client):
    name = client.create("followed", partitions=3).name
    positions = [logs.StartPosition(partition=place(name, number), earliest=logs.Earliest())
                 for number in range(3)]
    stream = client.log.Consume(
        logs.ConsumeRequest(positions=positions, follow=True), timeout=20)
    got = []
    for turn in range(5):
        for number in range(3):
            client.produce(name, [b"%d" % turn], partition=number)
        while len(got) < 3 * (turn + 1):
            message = next(stream)
            got += [(message.partition.partition, record.offset, record.value)
                    for record in message.records]
    stream.cancel()
    assert sorted(got) == [(number, turn, b"%d" % turn) for number in range(3)
                           for turn in range(5)]


def test_messages_keep_to_the_bytes_asked_for(client, topic):
    for _ in range(20):
        client.produce(topic, [b"x" * 10_000])
    sizes = [message.ByteSize() for message in client.consume(topic, message_bytes_max=30_000)]
    assert len(sizes) > 5 and max(sizes) < 45_000


def test_a_batch_over_the_bytes_asked_for_still_comes(client, topic):
    client.produce(topic, [b"x" * 200_000])
    assert len(client.read(topic)) == 1
    assert sum(len(m.records) for m in client.consume(topic, message_bytes_max=1)) == 1


def test_an_offset_outside_is_out_of_range_with_the_valid_range(client, topic):
    client.produce(topic, [b"x"] * 5)
    request = topics.DeleteRecordsRequest(topic=topic, before_offset=2)
    assert client.topics.DeleteRecords(request, timeout=20).log_start_offset == 2
    for offset in (0, 1, 6, 2**62):
        code, reason, metadata = status_of(lambda offset=offset: client.consume(topic, offset))
        assert (code, reason) == (grpc.StatusCode.OUT_OF_RANGE, "CW-1007")
        assert (metadata["first_offset"], metadata["next_offset"]) == ("2", "5")
    assert [offset for offset, _ in client.read(topic, 2)] == [2, 3, 4]


def test_deleting_past_the_end_is_refused_and_appends_go_on(client, topic):
    client.produce(topic, [b"x"] * 5)
    request = topics.DeleteRecordsRequest(topic=topic, before_offset=6)
    code, _, _ = status_of(lambda: client.topics.DeleteRecords(request, timeout=20))
    assert code == grpc.StatusCode.OUT_OF_RANGE
    everything = topics.DeleteRecordsRequest(topic=topic, before_offset=-1)
    assert client.topics.DeleteRecords(everything, timeout=20).log_start_offset == 5
    assert client.produce(topic, [b"y"]).base_offset == 5
    assert client.read(topic, 5) == [(5, b"y")]


def test_a_deadline_ends_a_following_consumer_in_time(client, topic):
    began = time.monotonic()
    code, _, _ = status_of(lambda: client.consume(topic, follow=True, timeout=0.5))
    assert code == grpc.StatusCode.DEADLINE_EXCEEDED and time.monotonic() - began < 3


def test_a_deleted_topic_ends_its_followers(client, topic):
    stream = client.consume(topic, follow=True)
    client.produce(topic, [b"x"])
    next(stream)
    client.topics.DeleteTopic(topics.DeleteTopicRequest(name=topic), timeout=20)
    assert status_of(lambda: stream)[:2] == (grpc.StatusCode.NOT_FOUND, "CW-1002")


def test_a_topic_made_anew_is_another_one(client, topic):
    describe = topics.DescribeTopicRequest(name=topic)
    before = client.topics.DescribeTopic(describe, timeout=20).topic.id
    client.produce(topic, [b"old"])
    client.topics.DeleteTopic(topics.DeleteTopicRequest(name=topic), timeout=20)
    assert client.create(topic).id != before
    assert client.end(topic) == 0 and client.read(topic) == []


def test_a_topic_is_made_once(client, topic):
    code, reason, _ = status_of(lambda: client.create(topic))
    assert (code, reason) == (grpc.StatusCode.ALREADY_EXISTS, "CW-1003")


def test_validate_only_makes_nothing(client):
    request = topics.CreateTopicRequest(name="only-checked", validate_only=True)
    client.topics.CreateTopic(request, timeout=20)
    code, _, _ = status_of(lambda: client.topics.DescribeTopic(
        topics.DescribeTopicRequest(name="only-checked"), timeout=20))
    assert code == grpc.StatusCode.NOT_FOUND


def test_health_is_serving(shared):
    from grpc_health.v1 import health_pb2, health_pb2_grpc
    stub = health_pb2_grpc.HealthStub(Client(shared.channel()).channel)
    for service in ("", "log.v1.Log", "cordwood.v1.LogService"):
        answer = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=20)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
    unknown = health_pb2.HealthCheckRequest(service="no.such")
    assert status_of(lambda: stub.Check(unknown, timeout=20))[0] == grpc.StatusCode.NOT_FOUND


def test_reflection_serves_what_the_protos_say(shared):
    from google.protobuf.descriptor_pool import DescriptorPool
    from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
        ProtoReflectionDescriptorDatabase)
    database = ProtoReflectionDescriptorDatabase(shared.channel())
    assert "cordwood.v1.LogService" in database.get_services()
    pool = DescriptorPool(database)
    service = pool.FindServiceByName("cordwood.v1.LogService")
    assert [m.name for m in service.methods] == ["Produce", "ProduceStream", "Consume",
                                                 "ListOffsets"]
    served = pool.FindMessageTypeByName("cordwood.v1.ConsumeRequest")
    assert {f.name: f.number for f in served.fields} == {
        f.name: f.number for f in logs.ConsumeRequest.DESCRIPTOR.fields}
