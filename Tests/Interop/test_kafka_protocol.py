# SPDX-License-Identifier: Apache-2.0
"""What clients stumble over when a server speaks Kafka's protocol almost right.

    the answer to ApiVersions has the oldest header           test_api_versions_*
    an unknown version of ApiVersions is answered             test_an_unknown_version_of_api_versions_*
    other unknown keys and versions close the connection      test_kafka_hostile.py
    bytes behind a request are ignored                        test_bytes_behind_a_request_*
    each row that was asked for is answered                   test_each_row_*, test_kafka_admin.py
    no key is advertised that clients do not know             test_only_documented_keys_*
    features have no minimum of 0                             test_features_*
    topics have ids, and a new topic a new one                test_topic_ids_*, test_a_fetch_by_id_*
    fetch sessions                                            test_a_fetch_session_*
    long polls wait, wake, and give the first batch whole     test_a_fetch_waits_*, test_a_batch_larger_*
    a fetch begins with a whole batch                         test_a_fetch_begins_*
    an offset by time is a record's, not a batch's            test_offsets_by_time_*
    errors of epochs and places are those that clients act on test_leader_epochs_*, test_unknown_places_*
    a batch sent twice gets its first offset                  test_kafka_idempotence.py
    acks 0 is not answered, and closes on an error            test_acks_*
    answers come in the order of the requests                 test_answers_come_*
    metadata: all, none, names that cannot be, addresses      test_metadata_*
    no records are empty bytes and never null                 test_nothing_to_fetch_*
"""

import struct
import time

import pytest
from kafka.protocol.admin import DescribeGroupsRequest, ListGroupsRequest
from kafka.protocol.consumer import OffsetFetchRequest, OffsetForLeaderEpochRequest

from kafka_fixtures import make_topic, server, topic  # noqa: F401
from kafka_wire import (
    FENCED_LEADER_EPOCH, INVALID_REQUIRED_ACKS, INVALID_TOPIC, NONE, OFFSET_OUT_OF_RANGE,
    UNKNOWN_LEADER_EPOCH, UNKNOWN_TOPIC_ID, UNKNOWN_TOPIC_OR_PARTITION, UNSUPPORTED_VERSION, Wire,
    api_versions, batch, fetch, fetched, list_offsets, listed, metadata, produce, produced)

# Key: the versions that a client of one of the last ten years wants.
WANTED = {
    0: (0, 9), 1: (4, 12), 2: (1, 7), 3: (0, 12), 8: (2, 8), 9: (1, 8), 10: (0, 4), 11: (0, 7),
    12: (0, 4), 13: (0, 4), 14: (0, 5), 15: (0, 5), 16: (0, 4), 18: (0, 3), 19: (2, 7), 20: (1, 6),
    21: (0, 2), 22: (0, 4), 23: (2, 4), 32: (1, 4), 33: (0, 2), 35: (1, 2), 37: (0, 3), 42: (0, 2),
    44: (0, 1), 47: (0, 0), 60: (0, 0), 75: (0, 0)}
TIME = 1_700_000_000_000


@pytest.fixture
def wire(server):
    with Wire(server) as wire:
        yield wire


@pytest.mark.parametrize("version", [0, 1, 2, 3, 4])
def test_api_versions_is_answered_with_the_oldest_header(wire, version):
    request = api_versions(version)
    number = wire.send(request)
    data = wire.receive_bytes()
    assert struct.unpack_from(">ih", data) == (number, NONE)
    count, = struct.unpack_from(">B" if version >= 3 else ">i", data, 6)
    assert count - (version >= 3) >= len(WANTED)


def test_api_versions_has_what_clients_of_ten_years_want(wire):
    offered = {row.api_key: (row.min_version, row.max_version)
               for row in wire.ask(api_versions()).api_keys}
    for key, (least, most) in WANTED.items():
        assert key in offered, key
        assert offered[key][0] <= least and offered[key][1] >= most, (key, offered[key])


def test_only_documented_keys_are_advertised(wire):
    keys = [row.api_key for row in wire.ask(api_versions()).api_keys]
    assert len(set(keys)) == len(keys) and keys == sorted(keys)
    assert max(keys) <= 75
    # Of what only brokers say to each other nothing, and of telemetry neither: clients stay quiet.
    assert not set(keys) & {*range(4, 8), *range(52, 55), 56, 58, 59, 62, 63, 67, 70, 71, 72, 73}


@pytest.mark.parametrize("version", [5, 6, 99, 0x7FFF])
def test_an_unknown_version_of_api_versions_is_answered_in_version_0(wire, version):
    # The header of flexible versions, then a body that only the future knows.
    body = struct.pack(">hhih", 18, version, 77, 4) + b"wire\0" + b"\x05\x01\x02"
    wire.send_bytes(struct.pack(">i", len(body)) + body)
    data = wire.receive_bytes()
    correlation, error, count = struct.unpack_from(">ihi", data)
    assert (correlation, error, count) == (77, UNSUPPORTED_VERSION, 1)
    assert struct.unpack_from(">hhh", data, 10)[0] == 18
    # And the connection goes on.
    assert wire.ask(api_versions()).error_code == NONE


def test_features_have_no_minimum_of_0(wire):
    for version in (3, 4):
        response = wire.ask(api_versions(version))
        features = {row.name: row for row in response.supported_features or []}
        assert version > 3 or all(row.min_version >= 1 for row in features.values())
        # They would call for protocols that are not spoken here.
        assert "group.version" not in features and "transaction.version" not in features


def test_bytes_behind_a_request_are_ignored(wire, topic):
    assert wire.ask(metadata(None, 12), trailing=b"\0\0\0").topics
    assert wire.ask(ListGroupsRequest(version=4, states_filter=[]), b"\0").error_code == NONE
    request = OffsetFetchRequest(version=7, group_id="none", topics=None, require_stable=False)
    assert wire.ask(request, b"\0").error_code == NONE
    assert wire.ask(api_versions()).error_code == NONE


def test_each_row_that_was_asked_for_is_answered(wire, topic):
    groups = wire.ask(DescribeGroupsRequest(
        version=5, groups=["a", "b", "a-third"], include_authorized_operations=False))
    assert [row.group_id for row in groups.groups] == ["a", "b", "a-third"]
    names = [topic, "no-such-topic", "bad name"]
    assert sorted(row.name for row in wire.ask(metadata(names)).topics) == sorted(names)
    topics = OffsetFetchRequest.OffsetFetchRequestTopic
    rows = wire.ask(OffsetFetchRequest(
        version=7, group_id="none", require_stable=False, topics=[
            topics(name=topic, partition_indexes=[0, 99]),
            topics(name="no-such-topic", partition_indexes=[7])])).topics
    assert [(row.name, [place.partition_index for place in row.partitions]) for row in rows] == [
        (topic, [0, 99]), ("no-such-topic", [7])]
    assert all(place.committed_offset == -1 for row in rows for place in row.partitions)


def test_topic_ids_are_new_with_each_topic(wire, make_topic):
    first = wire.ask(metadata([make_topic()], 10)).topics[0]
    second = wire.ask(metadata([make_topic()], 12)).topics[0]
    assert first.topic_id != second.topic_id and first.topic_id.int != 0


def test_a_fetch_by_id_is_answered_by_id(wire, topic):
    versions = {row.api_key: row.max_version for row in wire.ask(api_versions()).api_keys}
    if versions[1] < 13:
        pytest.skip("fetches go by name here")
    wire.ask(produce(topic, batch([b"one"])))
    topic_id = wire.ask(metadata([topic], 12)).topics[0].topic_id
    response = wire.ask(fetch(None, version=13, topic_id=topic_id))
    assert response.responses[0].topic_id == topic_id
    assert fetched(response).records == wire.ask(fetch(topic)).responses[0].partitions[0].records
    unknown = type(topic_id)(int=topic_id.int ^ 1)
    assert fetched(wire.ask(fetch(None, version=13, topic_id=unknown))).error_code == UNKNOWN_TOPIC_ID


def test_a_fetch_session_tells_what_is_new_or_is_refused(wire, make_topic):
    busy, quiet = make_topic(), make_topic()
    wire.ask(produce(busy, batch([b"one"])))
    request = fetch(busy, session_epoch=0)
    request.topics += fetch(quiet).topics
    response = wire.ask(request)
    assert [row.topic for row in response.responses] == [busy, quiet]
    if response.session_id == 0:
        return  # No session: each fetch names all.
    wire.ask(produce(quiet, batch([b"two"])))
    later = fetch(busy, offset=1, session=response.session_id, session_epoch=1)
    news = wire.ask(later)
    assert news.error_code == NONE
    assert [row.topic for row in news.responses] == [quiet]
    unknown = wire.ask(fetch(busy, session=response.session_id ^ 0x1234, session_epoch=5))
    assert unknown.error_code == 70


@pytest.mark.parametrize("version", [4, 7, 11, 12])
def test_nothing_to_fetch_is_empty_and_not_null(wire, topic, version):
    place = fetched(wire.ask(fetch(topic, version=version)))
    assert place.error_code == NONE and place.records == b""
    assert (place.high_watermark, place.last_stable_offset) == (0, 0)


def test_a_fetch_waits_for_its_time(wire, topic):
    began = time.monotonic()
    assert fetched(wire.ask(fetch(topic, wait=300))).records == b""
    assert 0.25 < time.monotonic() - began < 5


def test_a_fetch_waits_for_bytes_and_wakes_with_them(server, wire, topic):
    encoded = batch([b"x" * 100])
    waiting = fetch(topic, wait=20_000, least=2 * len(encoded) - 10)
    number = wire.send(waiting)
    with Wire(server) as other:
        other.ask(produce(topic, encoded))
        assert wire.says_nothing(0.2), "one batch is less than was asked for"
        began = time.monotonic()
        other.ask(produce(topic, encoded))
    assert len(fetched(wire.receive(waiting, number)).records) == 2 * len(encoded)
    assert time.monotonic() - began < 5


def test_a_fetch_that_waits_learns_that_the_topic_is_gone(server, wire, make_topic):
    name = make_topic()
    waiting = fetch(name, wait=20_000)
    number = wire.send(waiting)
    assert wire.says_nothing(0.1)
    from clients import Client, topics
    channel = server.channel()
    Client(channel).topics.DeleteTopic(topics.DeleteTopicRequest(name=name), timeout=10)
    channel.close()
    assert fetched(wire.receive(waiting, number)).error_code == UNKNOWN_TOPIC_OR_PARTITION


def test_a_batch_larger_than_every_limit_comes_whole(wire, topic):
    encoded = batch([b"x" * 5000])
    wire.ask(produce(topic, encoded))
    wire.ask(produce(topic, encoded))
    assert len(fetched(wire.ask(fetch(topic, most=1, partition_most=1))).records) == len(encoded)
    assert len(fetched(wire.ask(fetch(topic, partition_most=6000))).records) == len(encoded)


def test_a_fetch_begins_with_the_batch_that_holds_its_offset(wire, topic):
    wire.ask(produce(topic, batch([b"0", b"1", b"2", b"3"])))
    wire.ask(produce(topic, batch([b"4", b"5"])))
    for offset, first in [(0, 0), (3, 0), (4, 4), (5, 4)]:
        records = fetched(wire.ask(fetch(topic, offset))).records
        assert struct.unpack_from(">q", records)[0] == first
    assert fetched(wire.ask(fetch(topic, 6))).records == b""
    for offset in (7, 1 << 40, -1):
        assert fetched(wire.ask(fetch(topic, offset))).error_code == OFFSET_OUT_OF_RANGE


def test_offsets_by_time_are_of_records(wire, topic):
    from batches import record
    times = [0, 10, 20, 30]
    for base in (TIME, TIME + 100):
        records = b"".join(record(number, b"x", timestamp_delta=delta)
                           for number, delta in enumerate(times))
        encoded = bytearray(batch([b"x"] * 4, timestamp=base, records=records))
        struct.pack_into(">q", encoded, 35, base + 30)
        from batches import crc32c
        struct.pack_into(">I", encoded, 17, crc32c(encoded[21:]))
        assert produced(wire.ask(produce(topic, bytes(encoded)))).error_code == NONE
    for stamp, offset, found in [
            (TIME - 5, 0, TIME), (TIME, 0, TIME), (TIME + 11, 2, TIME + 20),
            (TIME + 30, 3, TIME + 30), (TIME + 31, 4, TIME + 100), (TIME + 130, 7, TIME + 130)]:
        place = listed(wire.ask(list_offsets(topic, stamp)))
        assert (place.offset, place.timestamp) == (offset, found), stamp
    later = listed(wire.ask(list_offsets(topic, TIME + 131)))
    assert (later.error_code, later.offset, later.timestamp) == (NONE, -1, -1)
    assert listed(wire.ask(list_offsets(topic, -2))).offset == 0
    assert listed(wire.ask(list_offsets(topic, -1))).offset == 8
    latest = listed(wire.ask(list_offsets(topic, -3)))
    assert (latest.offset, latest.timestamp) == (7, TIME + 130)


def test_leader_epochs_are_compared(wire, topic):
    wire.ask(produce(topic, batch([b"x"])))
    epoch = wire.ask(metadata([topic])).topics[0].partitions[0].leader_epoch
    assert epoch >= 0
    assert fetched(wire.ask(fetch(topic, leader_epoch=epoch))).error_code == NONE
    assert fetched(wire.ask(fetch(topic, leader_epoch=epoch + 1))).error_code \
        == UNKNOWN_LEADER_EPOCH
    if epoch > 0:
        assert fetched(wire.ask(fetch(topic, leader_epoch=epoch - 1))).error_code \
            == FENCED_LEADER_EPOCH
    assert listed(wire.ask(list_offsets(topic, -1, leader_epoch=epoch + 1))).error_code \
        == UNKNOWN_LEADER_EPOCH
    topics = OffsetForLeaderEpochRequest.OffsetForLeaderTopic
    place = topics.OffsetForLeaderPartition(
        partition=0, current_leader_epoch=epoch, leader_epoch=epoch)
    response = wire.ask(OffsetForLeaderEpochRequest(
        version=4, replica_id=-1, topics=[topics(topic=topic, partitions=[place])]))
    row = response.topics[0].partitions[0]
    assert (row.error_code, row.leader_epoch, row.end_offset) == (NONE, epoch, 1)


def test_unknown_places_have_the_error_that_clients_retry(wire, topic):
    encoded = batch([b"x"])
    for name, partition in [("no-such-topic", 0), (topic, 1), (topic, -1), (topic, 0x7FFFFFFF)]:
        assert produced(wire.ask(produce(name, encoded, partition=partition))).error_code \
            == UNKNOWN_TOPIC_OR_PARTITION
        assert fetched(wire.ask(fetch(name, partition=partition))).error_code \
            == UNKNOWN_TOPIC_OR_PARTITION
        assert listed(wire.ask(list_offsets(name, -1, partition=partition))).error_code \
            == UNKNOWN_TOPIC_OR_PARTITION


def test_acks_0_is_not_answered(wire, topic):
    wire.send(produce(topic, batch([b"quiet"]), acks=0))
    assert wire.ask(api_versions()).error_code == NONE
    assert listed(wire.ask(list_offsets(topic, -1))).offset == 1


def test_acks_0_closes_on_an_error(wire, topic):
    wire.send(produce(topic, batch([b"quiet"], crc=1), acks=0))
    assert wire.is_closed()


@pytest.mark.parametrize("acks", [2, -2, 100])
def test_acks_of_other_numbers_are_refused(wire, topic, acks):
    assert produced(wire.ask(produce(topic, batch([b"x"]), acks=acks))).error_code \
        == INVALID_REQUIRED_ACKS
    assert listed(wire.ask(list_offsets(topic, -1))).offset == 0


def test_answers_come_in_the_order_of_the_requests(wire, topic):
    """A fetch that waits holds back what was asked behind it, and nothing overtakes a sync."""
    requests = [fetch(topic, wait=300), produce(topic, batch([b"x"])), metadata([topic]),
                api_versions(), list_offsets(topic, -1), fetch(topic)] * 3
    sent = [(request, wire.send(request)) for request in requests]
    for request, number in sent:
        wire.receive(request, number)


def test_metadata_of_all_of_none_and_of_names(server, wire, topic):
    everything = wire.ask(metadata(None))
    assert topic in [row.name for row in everything.topics]
    assert wire.ask(metadata([])).topics == []
    assert everything.cluster_id and everything.controller_id == everything.brokers[0].node_id
    broker = everything.brokers[0]
    assert f"{broker.host}:{broker.port}" == server.kafka
    place = wire.ask(metadata([topic])).topics[0].partitions[0]
    assert place.leader_id == broker.node_id
    assert place.replica_nodes == place.isr_nodes == [broker.node_id]
    assert not place.offline_replicas


@pytest.mark.parametrize("name", ["", ".", "..", "a b", "a/b", "x" * 250, "ü"])
def test_metadata_of_names_that_cannot_be_is_refused(wire, name):
    row = wire.ask(metadata([name], creates=True)).topics[0]
    assert row.error_code == INVALID_TOPIC


def test_metadata_creates_a_topic_only_when_it_may(wire):
    assert wire.ask(metadata(["unheard-of"])).topics[0].error_code == UNKNOWN_TOPIC_OR_PARTITION
    assert "unheard-of" not in [row.name for row in wire.ask(metadata(None)).topics]
    deadline = time.monotonic() + 10
    while wire.ask(metadata(["wanted"], creates=True)).topics[0].error_code != NONE:
        assert time.monotonic() < deadline
    assert "wanted" in [row.name for row in wire.ask(metadata(None)).topics]
