# SPDX-License-Identifier: Apache-2.0
"""Consumer groups of real clients: members join, leave and crash, and each record has one reader."""

import itertools
import time

import confluent_kafka
import pytest
from kafka.protocol.consumer import (
    HeartbeatRequest, JoinGroupRequest, LeaveGroupRequest, OffsetCommitRequest, SyncGroupRequest)
from kafka.protocol.metadata import FindCoordinatorRequest

from kafka_clients import CONFLUENT
from kafka_fixtures import make_topic, server, topic  # noqa: F401
from kafka_groups import consumed, nobody_shared, settle, start_member
from kafka_wire import NONE, Wire
from server import eventually

PARTITIONS = 6
ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID, REBALANCE_IN_PROGRESS, MEMBER_ID_REQUIRED = 22, 25, 27, 79

CLIENTS = ["confluent", "kafka-python", "aiokafka"]
ASSIGNORS = [("confluent", "range"), ("confluent", "roundrobin"),
             ("confluent", "cooperative-sticky"), ("kafka-python", "range"),
             ("kafka-python", "roundrobin"), ("kafka-python", "cooperative-sticky"),
             ("aiokafka", "range"), ("aiokafka", "roundrobin")]
groups = itertools.count()


class Story:
    """A group, its members and what was produced for them."""

    def __init__(self, server, topic, partitions):
        self.server, self.topic, self.partitions = server, topic, partitions
        self.group = f"group-{next(groups)}"
        self.members = []
        self.produced = []
        self.producer = confluent_kafka.Producer({"bootstrap.servers": server.kafka, "linger.ms": 5})

    def join(self, client, **options):
        member = start_member(self.server, client, self.group, self.topic, **options)
        self.members.append(member)
        return member

    def produce(self, count=60):
        first = len(self.produced)
        for number in range(first, first + count):
            self.producer.produce(self.topic, b"%d" % number, partition=number % self.partitions)
            self.produced.append(str(number))
        assert self.producer.flush(20) == 0

    def settle(self, *members):
        settle(members, self.partitions)

    def all_is_consumed(self):
        eventually(lambda: not set(self.produced) - set(consumed(self.members)), 20,
                   "that each record was consumed")

    def each_once(self):
        often = {value: count for value, count in consumed(self.members).items() if count > 1}
        assert not often, often

    def end(self):
        for member in self.members:
            if member.process.poll() is None:
                member.kill()


@pytest.fixture
def make_story(server, make_topic):
    stories = []

    def make(partitions=PARTITIONS):
        story = Story(server, make_topic(partitions), partitions)
        stories.append(story)
        return story

    yield make
    for story in stories:
        story.end()


@pytest.mark.parametrize("client, assignor", ASSIGNORS)
def test_members_join_and_leave(make_story, client, assignor):
    """One, then two, then three, then two: each record is consumed once, by its owner."""
    story = make_story()
    story.produce()
    first = story.join(client, assignor=assignor)
    story.settle(first)
    story.all_is_consumed()
    second, third = story.join(client, assignor=assignor), story.join(client, assignor=assignor)
    story.settle(first, second, third)
    assert all(len(member.partitions()) == 2 for member in story.members)
    story.produce()
    story.all_is_consumed()
    first.leave()
    story.settle(second, third)
    story.produce()
    story.all_is_consumed()
    assert nobody_shared(story.members)
    # Who commits each record before giving up its partition never reads one again.
    story.each_once()


def test_members_that_crash_are_replaced_when_their_session_ends(make_story):
    """All clients at once, so that the time is waited for once."""
    stories = []
    for client in CLIENTS:
        story = make_story()
        story.produce()
        story.join(client), story.join(client)
        stories.append(story)
    for story in stories:
        story.settle(*story.members)
        story.all_is_consumed()
        story.members[0].kill()
    for story in stories:
        story.produce()
        story.settle(story.members[1])
        story.all_is_consumed()
        assert nobody_shared(story.members)


def test_clients_of_four_makers_share_a_group(make_story):
    story = make_story(8)
    story.produce(80)
    members = [story.join(client, assignor="roundrobin") for client in [*CLIENTS, "kcat"]]
    eventually(lambda: all(len(member.partitions()) == 2 for member in members), 30,
               "two partitions for each of four members")
    story.produce(80)
    story.all_is_consumed()
    assert nobody_shared(members)
    members[3].leave()
    story.settle(*members[:3])
    story.produce(80)
    story.all_is_consumed()


def test_of_five_members_two_have_nothing_to_do(make_story):
    story = make_story(3)
    members = [story.join("confluent", assignor="range") for _ in range(5)]
    story.settle(*members)
    story.produce(30)
    story.all_is_consumed()

    def at_work():
        return [member for member in members if member.partitions()]

    busy = eventually(lambda: len(at_work()) == 3 and at_work(), what="three members at work")
    busy[0].leave()
    story.settle(*(member for member in members if member is not busy[0]))
    story.produce(30)
    story.all_is_consumed()
    assert nobody_shared(members)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_static_member_comes_back_to_its_partitions(make_story, client):
    """Its absence is not noticed, so the others keep what they have."""
    story = make_story()
    story.produce()
    stays = story.join(client, instance="stays", session=20_000)
    goes = story.join(client, instance="goes", session=20_000)
    story.settle(stays, goes)
    before = goes.partitions()
    assert len(before) == 3
    story.all_is_consumed()
    changes = len(stays.of("assigned", "revoked", "lost"))
    goes.kill()
    back = story.join(client, instance="goes", session=20_000)
    story.settle(stays, back)
    assert back.partitions() == before
    story.produce()
    story.all_is_consumed()
    assert len(stays.of("assigned", "revoked", "lost")) == changes
    assert nobody_shared(story.members)


def test_of_two_with_the_same_instance_the_older_is_fenced(make_story):
    story = make_story()
    older = story.join("confluent", instance="one")
    story.settle(older)
    newer = story.join("confluent", instance="one")
    eventually(lambda: any("fenced" in event["text"] for event in older.of("error")),
               what="an error at the older")
    story.produce()
    eventually(lambda: not set(story.produced) - set(newer.values()), 20, "records at the newer")


class Handmade:
    """A member that joins by single requests, so that it can do what clients do not."""

    def __init__(self, server, group):
        self.wire = Wire(server)
        self.group = group
        coordinator = self.wire.ask(FindCoordinatorRequest(version=2, key=group, key_type=0))
        assert coordinator.error_code == NONE
        assert f"{coordinator.host}:{coordinator.port}" == server.kafka
        assert self._join("").error_code == MEMBER_ID_REQUIRED

    def _join(self, member, protocols=(("range", b"subscription"),)):
        request = JoinGroupRequest(
            version=5, group_id=self.group, session_timeout_ms=10_000, rebalance_timeout_ms=5000,
            member_id=member, group_instance_id=None, protocol_type="consumer",
            protocols=[JoinGroupRequest.JoinGroupRequestProtocol(name=name, metadata=blob)
                       for name, blob in protocols])
        response = self.wire.ask(request)
        self.member = response.member_id
        self.generation = response.generation_id
        return response

    def join(self):
        response = self._join(self.member)
        assert response.error_code == NONE
        return response

    def sync(self, assignments=()):
        rows = [SyncGroupRequest.SyncGroupRequestAssignment(member_id=member, assignment=blob)
                for member, blob in assignments]
        return self.wire.ask(SyncGroupRequest(
            version=3, group_id=self.group, generation_id=self.generation, member_id=self.member,
            group_instance_id=None, assignments=rows))

    def heartbeat(self, generation=None, member=None):
        return self.wire.ask(HeartbeatRequest(
            version=3, group_id=self.group, member_id=self.member if member is None else member,
            generation_id=self.generation if generation is None else generation,
            group_instance_id=None)).error_code

    def commit(self, topic, offset, generation=None, member=None, partition=0):
        topics = OffsetCommitRequest.OffsetCommitRequestTopic
        place = topics.OffsetCommitRequestPartition(
            partition_index=partition, committed_offset=offset, committed_leader_epoch=-1,
            committed_metadata="note")
        response = self.wire.ask(OffsetCommitRequest(
            version=7, group_id=self.group, member_id=self.member if member is None else member,
            generation_id_or_member_epoch=self.generation if generation is None else generation,
            group_instance_id=None, topics=[topics(name=topic, partitions=[place])]))
        return response.topics[0].partitions[0].error_code

    def leave(self):
        return self.wire.ask(LeaveGroupRequest(
            version=3, group_id=self.group, members=[LeaveGroupRequest.MemberIdentity(
                member_id=self.member, group_instance_id=None)])).error_code

    def close(self):
        self.wire.socket.close()


@pytest.fixture
def member(server):
    member = Handmade(server, f"handmade-{next(groups)}")
    yield member
    member.close()


def test_assignments_reach_members_as_the_leader_wrote_them(member):
    joined = member.join()
    assert joined.leader == member.member and joined.protocol_name == "range"
    assert [(row.member_id, row.metadata) for row in joined.members] == [
        (member.member, b"subscription")]
    blob = bytes(range(256))
    response = member.sync([(member.member, blob)])
    assert (response.error_code, response.assignment) == (NONE, blob)
    assert member.heartbeat() == NONE
    assert member.leave() == NONE
    assert member.heartbeat() == UNKNOWN_MEMBER_ID


def test_an_old_generation_commits_nothing(member, topic):
    member.join()
    member.sync([(member.member, b"all")])
    assert member.commit(topic, 5) == NONE
    assert member.commit(topic, 6, generation=member.generation - 1) == ILLEGAL_GENERATION
    assert member.commit(topic, 7, generation=member.generation + 1) == ILLEGAL_GENERATION
    assert member.commit(topic, 8, member="somebody") == UNKNOWN_MEMBER_ID
    # One who is no member at all may only commit to a group that has none.
    assert member.commit(topic, 9, generation=-1, member="") == UNKNOWN_MEMBER_ID
    assert committed(member.wire, member.group, topic) == 5
    member.leave()
    assert member.commit(topic, 10, generation=-1, member="") == NONE
    assert committed(member.wire, member.group, topic) == 10


def committed(wire, group, topic):
    from kafka.protocol.consumer import OffsetFetchRequest
    topics = OffsetFetchRequest.OffsetFetchRequestTopic
    response = wire.ask(OffsetFetchRequest(
        version=7, group_id=group, require_stable=True,
        topics=[topics(name=topic, partition_indexes=[0])]))
    return response.topics[0].partitions[0].committed_offset


def test_a_member_hears_of_a_rebalance_with_its_heartbeat(server, member):
    member.join()
    member.sync([(member.member, b"all")])
    generation = member.generation
    other = Handmade(server, member.group)
    try:
        # The join of the other is answered when all have joined again.
        request = JoinGroupRequest(
            version=5, group_id=member.group, session_timeout_ms=10_000, rebalance_timeout_ms=5000,
            member_id=other.member, group_instance_id=None, protocol_type="consumer",
            protocols=[JoinGroupRequest.JoinGroupRequestProtocol(name="range", metadata=b"")])
        number = other.wire.send(request)
        eventually(lambda: member.heartbeat() == REBALANCE_IN_PROGRESS, what="a rebalance")
        member.join()
        assert other.wire.receive(request, number).generation_id == member.generation
        assert member.generation == generation + 1
        assert member.heartbeat(generation=generation) == ILLEGAL_GENERATION
    finally:
        other.close()


def test_who_offers_no_common_protocol_is_refused(server, member):
    member.join()
    member.sync([(member.member, b"all")])
    other = Handmade(server, member.group)
    try:
        assert other._join(other.member, (("unheard-of", b""),)).error_code == 23
    finally:
        other.close()


@pytest.mark.parametrize("session", [1, 1 << 30])
def test_sessions_out_of_range_are_refused(server, session):
    with Wire(server) as wire:
        response = wire.ask(JoinGroupRequest(
            version=5, group_id="sessions", session_timeout_ms=session, rebalance_timeout_ms=5000,
            member_id="", group_instance_id=None, protocol_type="consumer",
            protocols=[JoinGroupRequest.JoinGroupRequestProtocol(name="range", metadata=b"")]))
        assert response.error_code == 26
