# SPDX-License-Identifier: Apache-2.0
"""Each version of each request that is advertised is served, as another's schemas read the answer."""

import itertools

import pytest
from kafka.protocol import admin, consumer
from kafka.protocol import metadata as places
from kafka.protocol import producer

from kafka_fixtures import make_topic, server, topic  # noqa: F401
from kafka_wire import (
    NONE, Wire, answer_to, api_versions, batch, fetch, fetched, list_offsets, listed, metadata,
    produce, produced)

names = itertools.count()


def row(kind, nested, **fields):
    """A row of a request, by the name of its type."""
    found = kind
    for name in nested.split("."):
        found = getattr(found, name)
    return found(**fields)


def offset_fetch(version, topic):
    kind = consumer.OffsetFetchRequest
    if version < 8:
        return kind(version=version, group_id="versions", require_stable=False, topics=[
            row(kind, "OffsetFetchRequestTopic", name=topic, partition_indexes=[0])])
    return kind(version=version, require_stable=False, groups=[
        row(kind, "OffsetFetchRequestGroup", group_id="versions", member_id=None, member_epoch=-1,
            topics=[row(kind, "OffsetFetchRequestGroup.OffsetFetchRequestTopics", name=topic,
                        partition_indexes=[0])])])


def offset_commit(version, topic):
    kind = consumer.OffsetCommitRequest
    place = row(kind, "OffsetCommitRequestTopic.OffsetCommitRequestPartition", partition_index=0,
                committed_offset=1, committed_leader_epoch=-1, committed_metadata="")
    return kind(version=version, group_id="versions", generation_id_or_member_epoch=-1,
                member_id="", group_instance_id=None, retention_time_ms=-1,
                topics=[row(kind, "OffsetCommitRequestTopic", name=topic, partitions=[place])])


def join(version, topic):
    kind = consumer.JoinGroupRequest
    return kind(version=version, group_id=f"join-{next(names)}", session_timeout_ms=6000,
                rebalance_timeout_ms=6000, member_id="", group_instance_id=None,
                protocol_type="consumer", reason="a test", protocols=[
                    row(kind, "JoinGroupRequestProtocol", name="range", metadata=b"")])


def leave(version, topic):
    kind = consumer.LeaveGroupRequest
    return kind(version=version, group_id="nobody", member_id="nobody", members=[
        row(kind, "MemberIdentity", member_id="nobody", group_instance_id=None, reason=None)])


def coordinator(version, topic):
    return places.FindCoordinatorRequest(
        version=version, key="versions", key_type=0, coordinator_keys=["versions", "more"])


def describe_configs(version, topic):
    kind = admin.DescribeConfigsRequest
    return kind(version=version, include_synonyms=True, include_documentation=True, resources=[
        row(kind, "DescribeConfigsResource", resource_type=2, resource_name=topic,
            configuration_keys=None)])


def alter_configs(version, topic):
    kind = admin.AlterConfigsRequest
    config = row(kind, "AlterConfigsResource.AlterableConfig", name="retention.ms", value="60000")
    return kind(version=version, validate_only=True, resources=[
        row(kind, "AlterConfigsResource", resource_type=2, resource_name=topic, configs=[config])])


def incremental(version, topic):
    kind = admin.IncrementalAlterConfigsRequest
    config = row(kind, "AlterConfigsResource.AlterableConfig", name="retention.ms",
                 config_operation=0, value="60000")
    return kind(version=version, validate_only=True, resources=[
        row(kind, "AlterConfigsResource", resource_type=2, resource_name=topic, configs=[config])])


def create_topics(version, topic):
    kind = admin.CreateTopicsRequest
    return kind(version=version, timeout_ms=5000, validate_only=False, topics=[
        row(kind, "CreatableTopic", name=f"created-{next(names)}", num_partitions=1,
            replication_factor=1, assignments=[], configs=[])])


def delete_topics(version, topic):
    kind = admin.DeleteTopicsRequest
    return kind(version=version, timeout_ms=5000, topic_names=[topic], topics=[
        row(kind, "DeleteTopicState", name=topic)])


def create_partitions(version, topic):
    kind = admin.CreatePartitionsRequest
    return kind(version=version, timeout_ms=5000, validate_only=False, topics=[
        row(kind, "CreatePartitionsTopic", name=topic, count=3, assignments=None)])


def delete_records(version, topic):
    kind = admin.DeleteRecordsRequest
    return kind(version=version, timeout_ms=5000, topics=[
        row(kind, "DeleteRecordsTopic", name=topic, partitions=[
            row(kind, "DeleteRecordsTopic.DeleteRecordsPartition", partition_index=0, offset=1)])])


def epochs(version, topic):
    kind = consumer.OffsetForLeaderEpochRequest
    return kind(version=version, replica_id=-1, topics=[
        row(kind, "OffsetForLeaderTopic", topic=topic, partitions=[
            row(kind, "OffsetForLeaderTopic.OffsetForLeaderPartition", partition=0,
                current_leader_epoch=-1, leader_epoch=1)])])


def offset_delete(version, topic):
    kind = consumer.OffsetDeleteRequest
    return kind(version=version, group_id="versions", topics=[
        row(kind, "OffsetDeleteRequestTopic", name=topic, partitions=[
            row(kind, "OffsetDeleteRequestTopic.OffsetDeleteRequestPartition",
                partition_index=0)])])


def topic_partitions(version, topic):
    kind = admin.DescribeTopicPartitionsRequest
    return kind(version=version, response_partition_limit=10, cursor=None,
                topics=[row(kind, "TopicRequest", name=topic)])


# A request of each kind, and the error codes that it may be answered with beside none.
REQUESTS = {
    0: (lambda version, topic: produce(topic, batch([b"x"]), version=version), ()),
    1: (lambda version, topic: fetch(topic, version=version), ()),
    2: (lambda version, topic: list_offsets(topic, -1, version=version), ()),
    3: (lambda version, topic: metadata([topic], version), ()),
    8: (offset_commit, ()),
    9: (offset_fetch, ()),
    10: (coordinator, ()),
    11: (join, (79,)),
    12: (lambda version, topic: consumer.HeartbeatRequest(
        version=version, group_id="nobody", generation_id=1, member_id="nobody",
        group_instance_id=None), (25,)),
    13: (leave, (25,)),
    14: (lambda version, topic: consumer.SyncGroupRequest(
        version=version, group_id="nobody", generation_id=1, member_id="nobody",
        group_instance_id=None, protocol_type="consumer", protocol_name="range",
        assignments=[]), (25,)),
    15: (lambda version, topic: admin.DescribeGroupsRequest(
        version=version, groups=["versions"], include_authorized_operations=True), ()),
    16: (lambda version, topic: admin.ListGroupsRequest(
        version=version, states_filter=[], types_filter=[]), ()),
    18: (lambda version, topic: api_versions(version), ()),
    19: (create_topics, ()),
    20: (delete_topics, ()),
    21: (delete_records, ()),
    22: (lambda version, topic: producer.InitProducerIdRequest(
        version=version, transactional_id=None, transaction_timeout_ms=1000, producer_id=-1,
        producer_epoch=-1), ()),
    23: (epochs, ()),
    32: (describe_configs, ()),
    33: (alter_configs, ()),
    35: (lambda version, topic: admin.DescribeLogDirsRequest(version=version, topics=None), ()),
    37: (create_partitions, ()),
    42: (lambda version, topic: admin.DeleteGroupsRequest(
        version=version, groups_names=["versions"]), ()),
    44: (incremental, ()),
    47: (offset_delete, ()),
    60: (lambda version, topic: admin.DescribeClusterRequest(
        version=version, include_cluster_authorized_operations=True, endpoint_type=1), ()),
    75: (topic_partitions, ()),
}


def error_codes(value):
    """All error codes in an answer, as deep as they stand."""
    if isinstance(value, dict):
        for name, field in value.items():
            if name == "error_code":
                yield field
            else:
                yield from error_codes(field)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from error_codes(item)


@pytest.fixture
def wire(server):
    with Wire(server, client="versions") as wire:
        yield wire


@pytest.mark.parametrize("key", REQUESTS)
def test_each_version_is_served(server, wire, make_topic, key):
    make, tolerated = REQUESTS[key]
    offered, = [row for row in wire.ask(api_versions()).api_keys if row.api_key == key]
    first = max(offered.min_version, 3) if key == 0 else offered.min_version
    tried = 0
    for version in range(first, offered.max_version + 1):
        name = make_topic()
        wire.ask(produce(name, batch([b"one", b"two"])))
        if key in (15, 42, 47):
            # A group without members, so that there is one to ask for or to delete.
            wire.ask(offset_commit(7, name))
        request = make(version, name)
        if version > type(request).max_version:
            continue
        if key == 1 and version >= 13:
            topic_id = wire.ask(metadata([name], 12)).topics[0].topic_id
            request = fetch(None, version=version, topic_id=topic_id)
        wire.send(request)
        data = wire.receive_bytes()
        response = answer_to(request).decode(data, version=version, header=True)
        codes = set(error_codes(response.to_dict()))
        assert codes <= {NONE, *tolerated}, (version, response)
        # Another's encoder makes the same bytes of it, so none is too many.
        body = bytes(response.encode())
        assert data.endswith(body) and len(data) - len(body) in (4, 5), version
        tried += 1
    assert tried > 0


def test_each_key_that_is_advertised_was_tried(wire):
    assert {row.api_key for row in wire.ask(api_versions()).api_keys} == set(REQUESTS)


@pytest.mark.parametrize("version", range(3, 12))
def test_what_each_version_produces_each_version_fetches(wire, topic, version):
    encoded = batch([b"one", b"two"])
    assert produced(wire.ask(produce(topic, encoded, version=version))).base_offset == 0
    for other in range(4, 13):
        records = fetched(wire.ask(fetch(topic, version=other))).records
        assert bytes(records)[12 + 9:] == encoded[12 + 9:], other
    assert listed(wire.ask(list_offsets(topic, -1))).offset == 2
