# SPDX-License-Identifier: Apache-2.0
"""What a server keeps over a restart, and what it does about files that are not as it left them."""

import socket

import grpc
import pytest

from clients import Client, book, logs, place, records, status_of, topics
from server import refusal_of


def describe(client, name):
    return client.topics.DescribeTopic(topics.DescribeTopicRequest(name=name), timeout=20)


def settings_of(topic):
    return {setting.name: (setting.value, setting.is_set) for setting in topic.settings}


def test_a_clean_restart_keeps_records_topics_and_settings(make_server):
    server = make_server()
    client = Client(server.channel())
    made = client.create("kept", partitions=3, retention_ms=3_600_000)
    client.create("deleted")
    for number in range(3):
        client.produce("kept", [b"%d" % index for index in range(100)], partition=number)
    client.topics.ConfigureTopic(topics.ConfigureTopicRequest(
        name="kept", set={"durability": "interval(50)"}, reset=["retention.ms"]), timeout=20)
    client.topics.DeleteRecords(topics.DeleteRecordsRequest(
        topic="kept", partition=1, before_offset=40), timeout=20)
    client.topics.DeleteTopic(topics.DeleteTopicRequest(name="deleted"), timeout=20)
    client.book.Produce(book.ProduceRequest(record=book.Record(value=b"a", type=5)), timeout=20)
    before = describe(client, "kept")
    for _ in range(3):
        assert server.stop() == 0
        server.start()
        client = Client(server.channel())
        after = describe(client, "kept")
        assert (after.topic.id, after.topic.partition_count) == (made.id, 3)
        assert settings_of(after.topic) == settings_of(before.topic)
        assert settings_of(after.topic)["durability"] == ("interval(50)", True)
        assert [partition.log_start_offset for partition in after.partitions] == [0, 40, 0]
        assert client.read("kept", 40, 1) == [(n, b"%d" % n) for n in range(40, 100)]
        assert client.read("kept", 0, 2) == [(n, b"%d" % n) for n in range(100)]
        names = [t.name for t in client.topics.ListTopics(
            topics.ListTopicsRequest(), timeout=20).topics]
        assert "kept" in names and "deleted" not in names
        record = client.book.Consume(book.ConsumeRequest(offset=0), timeout=20).record
        assert (record.value, record.type) == (b"a", 5)
    assert client.produce("kept", [b"next"], partition=1).base_offset == 100


def test_a_killed_server_keeps_topics_and_settings(make_server):
    server = make_server()
    client = Client(server.channel())
    made = client.create("kept", partitions=2, retention_bytes=123_456)
    client.create("deleted")
    client.topics.DeleteTopic(topics.DeleteTopicRequest(name="deleted"), timeout=20)
    server.kill()
    server.start()
    client = Client(server.channel())
    after = describe(client, "kept").topic
    assert after.id == made.id
    assert settings_of(after)["retention.bytes"] == ("123456", True)
    assert status_of(lambda: describe(client, "deleted"))[0] == grpc.StatusCode.NOT_FOUND


def test_ten_thousand_empty_values_are_ten_thousand_records(make_server):
    server = make_server()
    client = Client(server.channel())

    def requests():
        for _ in range(10_000):
            yield book.ProduceRequest(record=book.Record(value=b""))

    offsets = [answer.offset for answer in client.book.ProduceStream(requests(), timeout=60)]
    assert offsets == list(range(10_000))
    server.stop()
    server.start()
    values = Client(server.channel()).read("default")
    assert values == [(offset, b"") for offset in range(10_000)]


def test_segments_beyond_the_descriptors_allowed_are_written_and_read(make_server):
    server = make_server(descriptors=256)
    client = Client(server.channel())
    client.create("segments", partitions=4, segment_bytes=1 << 20, durability="os")
    value = b"x" * 500_000
    for number in range(4):
        for _ in range(160):
            client.produce("segments", [value], partition=number)
    segments = [p.segment_count for p in describe(client, "segments").partitions]
    assert min(segments) > 50 and sum(segments) > 256
    for number in range(4):
        assert len(client.read("segments", 0, number)) == 160
    assert server.descriptor_count() < 256
    assert client.produce("segments", [b"more"]).base_offset == 160
    assert server.stop() == 0
    server.start()
    assert Client(server.channel()).end("segments") == 161


def store_of(server, topic_id, marker):
    """The store file that holds a marker."""
    for path in sorted(server.data.rglob("*.store")):
        if marker in path.read_bytes():
            return path
    raise AssertionError(f"no store of {topic_id} holds {marker}")


def test_damage_is_named_and_never_returned_as_data(make_server):
    server = make_server()
    client = Client(server.channel())
    made = client.create("damaged")
    client.create("sound")
    for number in range(50):
        client.produce("damaged", [b"marker-%04d" % number])
        client.produce("sound", [b"fine"])
    assert server.stop() == 0
    path = store_of(server, made.id, b"marker-0020")
    data = bytearray(path.read_bytes())
    data[data.index(b"marker-0020") + 3] ^= 0x40
    path.write_bytes(data)
    server.start()
    client = Client(server.channel())
    got = []
    with pytest.raises(grpc.RpcError) as raised:
        for message in client.consume("damaged", message_bytes_max=1):
            got += [(record.offset, record.value) for record in message.records]
    assert raised.value.code() == grpc.StatusCode.DATA_LOSS
    assert got == [(n, b"marker-%04d" % n) for n in range(20)]
    assert client.read("damaged", 21) == [(n, b"marker-%04d" % n) for n in range(21, 50)]
    assert len(client.read("sound")) == 50
    assert client.produce("sound", [b"goes on"]).base_offset == 50


def test_a_damaged_length_is_named_and_harms_nobody(make_server):
    server = make_server()
    client = Client(server.channel())
    made = client.create("damaged")
    for number in range(50):
        client.produce("damaged", [b"marker-%04d" % number])
    server.stop()
    path = store_of(server, made.id, b"marker-0020")
    data = bytearray(path.read_bytes())
    # The frame and the batch around the record: everything from the record before up to it.
    first = data.index(b"marker-0019") + len(b"marker-0019")
    for position in range(first + 1, data.index(b"marker-0020") - 8):
        data[position] = 0xFF
    path.write_bytes(data)
    server.start()
    client = Client(server.channel())
    assert status_of(lambda: client.consume("damaged", 20))[0] == grpc.StatusCode.DATA_LOSS
    assert client.read("damaged", 21) == [(n, b"marker-%04d" % n) for n in range(21, 50)]


@pytest.mark.parametrize("how", ["missing", "empty", "zeros", "rubbish"])
def test_indexes_that_are_not_as_they_were_are_made_anew(make_server, how):
    server = make_server()
    client = Client(server.channel())
    client.create("indexed", segment_bytes=1 << 20)
    for number in range(20):
        client.produce("indexed", [b"%d" % number + b"x" * 200_000])
    server.stop()
    indexes = [*server.data.rglob("*.index"), *server.data.rglob("*.timeindex")]
    assert indexes
    for path in indexes:
        size = path.stat().st_size
        if how == "missing":
            path.unlink()
        else:
            path.write_bytes({"empty": b"", "zeros": bytes(size), "rubbish": b"\xa5" * size}[how])
    server.start()
    client = Client(server.channel())
    for number in range(20):
        values = client.read("indexed", number)
        assert values[0] == (number, b"%d" % number + b"x" * 200_000)
    assert client.produce("indexed", [b"more"]).base_offset == 20


def test_a_torn_tail_is_cut_and_appends_go_on(make_server):
    server = make_server()
    client = Client(server.channel())
    made = client.create("torn")
    for number in range(10):
        client.produce("torn", [b"marker-%d" % number])
    server.kill()
    path = store_of(server, made.id, b"marker-9")
    with open(path, "ab") as store:
        store.write(b"\x17" * 100)
    server.start()
    client = Client(server.channel())
    assert client.read("torn") == [(n, b"marker-%d" % n) for n in range(10)]
    assert client.produce("torn", [b"next"]).base_offset == 10


def test_stray_files_are_left_alone(make_server):
    server = make_server()
    client = Client(server.channel())
    client.create("tidy")
    client.produce("tidy", [b"x"])
    server.stop()
    strays = [path.parent / name for path in server.data.rglob("*.store")
              for name in ("notes.txt", "00000000000000000abc.store", ".hidden")]
    assert strays
    for path in strays:
        path.write_bytes(b"mine")
    server.start()
    client = Client(server.channel())
    assert client.read("tidy") == [(0, b"x")]
    assert client.produce("tidy", [b"y"]).base_offset == 1
    assert all(path.read_bytes() == b"mine" for path in strays)


def test_one_directory_has_one_server(make_server, binary):
    server = make_server()
    said = refusal_of(binary, {"data_dir": server.data, "listen.grpc.address": "127.0.0.1:0"})
    assert "CW-2005" in said
    assert server.is_running()
    Client(server.channel()).create("still-there")


def test_an_address_in_use_is_said_so(binary, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        said = refusal_of(binary, {"data_dir": tmp_path / "data", "listen.grpc.address": address})
    assert "CW-3003" in said and address in said


def test_plaintext_beyond_loopback_is_refused(binary, tmp_path):
    said = refusal_of(binary, {"data_dir": tmp_path / "data", "listen.grpc.address": "0.0.0.0:0"})
    assert "CW-3004" in said


def test_a_server_without_tls_answers_health_and_get_servers(make_server):
    from grpc_health.v1 import health_pb2, health_pb2_grpc
    server = make_server()
    channel = server.channel()
    answer = health_pb2_grpc.HealthStub(channel).Check(
        health_pb2.HealthCheckRequest(), timeout=20)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
    servers = Client(channel).book.GetServers(book.GetServersRequest(), timeout=20).servers
    assert len(servers) == 1


def test_records_are_there_for_a_consumer_that_started_before_the_restart(make_server):
    server = make_server()
    client = Client(server.channel())
    client.create("resumed")
    client.produce("resumed", [b"%d" % n for n in range(10)])
    stream = client.consume("resumed", follow=True)
    place_reached = next(stream).next_offset
    server.stop()
    server.start()
    client = Client(server.channel())
    request = logs.ProduceRequest(
        partition=place("resumed"), records=[records.Record(value=b"later")])
    client.log.Produce(request, timeout=20)
    assert client.read("resumed", place_reached) == [(10, b"later")]
