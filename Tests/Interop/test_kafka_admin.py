# SPDX-License-Identifier: Apache-2.0
"""What each client's admin can ask for: topics, partitions, settings, records, groups, the cluster.

Each test runs with the admins of confluent-kafka, kafka-python and aiokafka behind the same calls, so
that a difference is one of the protocol's versions and not of the test.
"""

import asyncio
import itertools
import re
import uuid

import aiokafka
import aiokafka.admin
import confluent_kafka
import confluent_kafka.admin
import kafka
import kafka.admin
import pytest
from aiokafka.admin.config_resource import ConfigResource as AioResource
from aiokafka.admin.config_resource import ConfigResourceType as AioResourceType
from confluent_kafka.admin import ConfigResource, NewPartitions, NewTopic, OffsetSpec

from clients import Client
from kafka_clients import CONFLUENT, SECONDS, Record
from kafka_fixtures import make_topic, server, topic  # noqa: F401

names = itertools.count()


class Refused(Exception):
    """A client's error, as the protocol's code."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


class ConfluentAdmin:
    def __init__(self, server):
        self.admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": server.kafka})

    @staticmethod
    def _wait(futures):
        try:
            return {name: future.result(SECONDS) for name, future in futures.items()}
        except confluent_kafka.KafkaException as error:
            raise Refused(error.args[0].code()) from error

    def create(self, name, partitions=-1, replicas=-1, only_validate=False, **configs):
        topics = [NewTopic(name, partitions, replicas, config=named(configs))]
        self._wait(self.admin.create_topics(topics, validate_only=only_validate))

    def delete(self, name):
        self._wait(self.admin.delete_topics([name]))

    def topics(self):
        found = self.admin.list_topics(timeout=SECONDS).topics
        return {name: len(row.partitions) for name, row in found.items()}

    def grow(self, name, count):
        self._wait(self.admin.create_partitions([NewPartitions(name, count)]))

    def configs(self, name):
        resource = ConfigResource(ConfigResource.Type.TOPIC, name)
        rows, = self._wait(self.admin.describe_configs([resource])).values()
        return {key: entry.value for key, entry in rows.items()}

    def alter(self, name, **configs):
        from confluent_kafka.admin import AlterConfigOpType, ConfigEntry
        entries = [ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
                   for key, value in named(configs).items()]
        self._wait(self.admin.incremental_alter_configs(
            [ConfigResource(ConfigResource.Type.TOPIC, name, incremental_configs=entries)]))

    def delete_records(self, name, offset):
        place = confluent_kafka.TopicPartition(name, 0, offset)
        row, = self._wait(self.admin.delete_records([place])).values()
        return row.low_watermark

    def groups(self):
        listed = self.admin.list_consumer_groups(request_timeout=SECONDS).result()
        assert not listed.errors
        return {row.group_id: row.state.name.lower() for row in listed.valid}

    def group(self, name):
        row = self._wait(self.admin.describe_consumer_groups([name]))[name]
        return row.state.name.lower(), sorted(
            place.partition for member in row.members
            for place in member.assignment.topic_partitions)

    def group_offsets(self, name):
        row = self._wait(self.admin.list_consumer_group_offsets(
            [confluent_kafka.ConsumerGroupTopicPartitions(name)]))[name]
        return {(place.topic, place.partition): place.offset for place in row.topic_partitions}

    def delete_group(self, name):
        self._wait(self.admin.delete_consumer_groups([name]))

    def cluster(self):
        row = self.admin.describe_cluster(request_timeout=SECONDS).result()
        return row.cluster_id, [f"{node.host}:{node.port}" for node in row.nodes]

    def close(self):
        pass


class KafkaPythonAdmin:
    def __init__(self, server):
        self.admin = kafka.admin.KafkaAdminClient(bootstrap_servers=server.kafka)

    @staticmethod
    def _try(call, *arguments, **more):
        try:
            return call(*arguments, **more)
        except kafka.errors.KafkaError as error:
            raise Refused(getattr(error, "errno", None)) from error

    def create(self, name, partitions=-1, replicas=-1, only_validate=False, **configs):
        self._try(self.admin.create_topics, {name: {
            "num_partitions": partitions, "replication_factor": replicas,
            "configs": named(configs)}}, validate_only=only_validate)

    def delete(self, name):
        self._try(self.admin.delete_topics, [name])

    def topics(self):
        return {row["name"]: len(row["partitions"]) for row in self.admin.describe_topics()}

    def grow(self, name, count):
        self._try(self.admin.create_partitions, {name: count})

    def configs(self, name):
        resource = kafka.admin.ConfigResource(kafka.admin.ConfigResourceType.TOPIC, name)
        rows = self._try(self.admin.describe_configs, [resource], config_filter="all")
        found, = rows.values()
        return {key: entry["value"] for key, entry in found[name].items()}

    def alter(self, name, **configs):
        resource = kafka.admin.ConfigResource(
            kafka.admin.ConfigResourceType.TOPIC, name, configs=named(configs))
        rows = self._try(self.admin.alter_configs, [resource], raise_on_unknown=False)
        result, = rows.values()
        if result[name] not in ("OK", None):
            raise Refused(int(re.search(r"\[Error (\d+)\]", str(result[name])).group(1)))

    def delete_records(self, name, offset):
        rows = self._try(self.admin.delete_records, {kafka.TopicPartition(name, 0): offset})
        row, = rows.values()
        return row["low_watermark"]

    def groups(self):
        return {row["group_id"]: row["group_state"].lower() for row in self.admin.list_groups()}

    def group(self, name):
        row = self._try(self.admin.describe_groups, [name])[name]
        return row["group_state"].lower(), sorted(
            partition for member in row["members"]
            for place in (member["member_assignment"] or {}).get("assigned_partitions", [])
            for partition in place["partitions"])

    def group_offsets(self, name):
        rows = self._try(self.admin.list_group_offsets, name)[name]
        return {(place.topic, place.partition): row.offset for place, row in rows.items()}

    def delete_group(self, name):
        result = self._try(self.admin.delete_groups, [name])[name]
        if result != "OK":
            raise Refused(getattr(kafka.errors, result).errno)

    def cluster(self):
        row = self.admin.describe_cluster()
        return row["cluster_id"], [f"{node['host']}:{node['port']}" for node in row["brokers"]]

    def close(self):
        self.admin.close()


class AiokafkaAdmin:
    def __init__(self, server):
        self.runner = asyncio.Runner()

        async def start():
            admin = aiokafka.admin.AIOKafkaAdminClient(bootstrap_servers=server.kafka)
            await admin.start()
            return admin

        self.admin = self.runner.run(start())

    def _run(self, work):
        try:
            return self.runner.run(asyncio.wait_for(work, SECONDS))
        except aiokafka.errors.KafkaError as error:
            raise Refused(getattr(error, "errno", None)) from error

    @staticmethod
    def _check(codes):
        for code in codes:
            if code:
                raise Refused(code)

    def create(self, name, partitions=-1, replicas=-1, only_validate=False, **configs):
        response = self._run(self.admin.create_topics([aiokafka.admin.NewTopic(
            name, partitions, replicas, topic_configs=named(configs))],
            validate_only=only_validate))
        self._check(row[1] for row in response.topic_errors)

    def delete(self, name):
        response = self._run(self.admin.delete_topics([name]))
        self._check(row[1] for row in response.topic_error_codes)

    def topics(self):
        return {row["topic"]: len(row["partitions"])
                for row in self._run(self.admin.describe_topics())}

    def grow(self, name, count):
        self._run(self.admin.create_partitions(
            {name: aiokafka.admin.NewPartitions(total_count=count)}))

    def configs(self, name):
        response, = self._run(self.admin.describe_configs(
            [AioResource(AioResourceType.TOPIC, name)], include_synonyms=True))
        code, _, _, _, entries = response.resources[0]
        self._check([code])
        return {entry[0]: entry[1] for entry in entries}

    def alter(self, name, **configs):
        response = self._run(self.admin.alter_configs(
            [AioResource(AioResourceType.TOPIC, name, configs=named(configs))]))[0]
        self._check(row[0] for row in response.resources)

    def delete_records(self, name, offset):
        rows = self._run(self.admin.delete_records({
            aiokafka.TopicPartition(name, 0): aiokafka.admin.RecordsToDelete(before_offset=offset)}))
        row, = rows.values()
        return row

    def groups(self):
        return {row[0]: None for row in self._run(self.admin.list_consumer_groups())}

    def group(self, name):
        row, = self._run(self.admin.describe_consumer_groups([name]))[0].groups
        from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
        assigned = [ConsumerProtocolMemberAssignment.decode(member[-1]) for member in row[5]]
        return row[2].lower(), sorted(
            partition for assignment in assigned
            for _, partitions in assignment.assignment for partition in partitions)

    def group_offsets(self, name):
        rows = self._run(self.admin.list_consumer_group_offsets(name))
        return {(place.topic, place.partition): row.offset for place, row in rows.items()}

    def delete_group(self, name):
        pytest.skip("aiokafka deletes no groups")

    def cluster(self):
        row = self._run(self.admin.describe_cluster())
        return row["cluster_id"], [f"{node['host']}:{node['port']}" for node in row["brokers"]]

    def close(self):
        self._run(self.admin.close())
        self.runner.close()


def named(configs):
    """Settings as Kafka names them."""
    return {name.replace("_", "."): str(value) for name, value in configs.items()}


@pytest.fixture(scope="module", params=[ConfluentAdmin, KafkaPythonAdmin, AiokafkaAdmin],
                ids=["confluent", "kafka-python", "aiokafka"])
def admin(request, server):
    admin = request.param(server)
    yield admin
    admin.close()


@pytest.fixture
def name():
    return f"admin-{next(names)}"


def refusal(call):
    with pytest.raises(Refused) as caught:
        call()
    return caught.value.code


def test_topics_are_created_listed_and_deleted(admin, name):
    admin.create(name, 3, 1)
    assert admin.topics()[name] == 3
    assert refusal(lambda: admin.create(name, 3, 1)) == 36
    admin.delete(name)
    assert name not in admin.topics()
    assert refusal(lambda: admin.delete(name)) == 3


def test_a_topic_whose_creator_says_nothing_has_the_defaults(admin, name):
    if isinstance(admin, AiokafkaAdmin):
        pytest.skip("aiokafka wants numbers")
    admin.create(name)
    assert admin.topics()[name] == 1
    assert admin.configs(name)["max.message.bytes"] == str(1 << 20)


@pytest.mark.parametrize("partitions, replicas, configs, code", [
    (0, 1, {}, 37), (-2, 1, {}, 37), (1 << 30, 1, {}, 37), (1, 3, {}, 38),
    (1, 1, {"retention_ms": "soon"}, 40), (1, 1, {"no_such_setting": "1"}, 40)])
def test_a_topic_that_cannot_be_is_refused(admin, name, partitions, replicas, configs, code):
    if isinstance(admin, ConfluentAdmin) and not 1 <= partitions <= 100_000:
        pytest.skip("librdkafka refuses it by itself")
    assert refusal(lambda: admin.create(name, partitions, replicas, **configs)) == code
    assert name not in admin.topics()


def test_a_name_that_cannot_be_is_refused(admin):
    assert refusal(lambda: admin.create("a b", 1, 1)) == 17


def test_a_topic_that_is_only_validated_is_not_created(admin, name):
    admin.create(name, 2, 1, only_validate=True)
    assert name not in admin.topics()
    assert refusal(lambda: admin.create("a b", 1, 1, only_validate=True)) == 17


def test_topics_grow_and_never_shrink(admin, name):
    admin.create(name, 2, 1)
    admin.grow(name, 5)
    assert admin.topics()[name] == 5
    assert refusal(lambda: admin.grow(name, 3)) == 37
    assert refusal(lambda: admin.grow("no-such-topic", 3)) == 3


def test_settings_are_described_and_altered_and_act(server, admin, name):
    admin.create(name, 1, 1, retention_ms=60_000, durability="os")
    described = admin.configs(name)
    assert described["retention.ms"] == "60000" and described["durability"] == "os"
    admin.alter(name, max_message_bytes=2000, retention_ms=60_000, durability="os")
    assert admin.configs(name)["max.message.bytes"] == "2000"
    with pytest.raises(confluent_kafka.KafkaException):
        CONFLUENT.write(server, name, [Record(b"k", b"x" * 2000)])
    assert refusal(lambda: admin.alter(name, max_message_bytes="many")) == 40
    assert refusal(lambda: admin.alter(name, no_such_setting=1)) == 40
    assert admin.configs(name)["max.message.bytes"] == "2000"
    # And gRPC shows the same.
    channel = server.channel()
    try:
        from clients import topics
        shown = Client(channel).topics.DescribeTopic(
            topics.DescribeTopicRequest(name=name), timeout=SECONDS).topic
        assert {row.name: row.value for row in shown.settings}["max.message.bytes"] == "2000"
    finally:
        channel.close()


def test_records_are_deleted_up_to_an_offset(server, admin, name):
    admin.create(name, 1, 1)
    CONFLUENT.write(server, name, [Record(b"k", b"%d" % number) for number in range(10)])
    assert admin.delete_records(name, 4) == 4
    read = CONFLUENT.read(server, name, start=4)
    assert [record.value for record in read] == [b"%d" % number for number in range(4, 10)]
    # To the end, which -1 names.
    assert admin.delete_records(name, -1) == 10
    assert refusal(lambda: admin.delete_records(name, 11)) == 1


def test_groups_are_listed_and_described_while_they_live_and_after(server, admin, make_topic, name):
    topic = make_topic(2)
    CONFLUENT.write(server, topic, [Record(b"k", b"v")])
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": server.kafka, "group.id": name, "auto.offset.reset": "earliest",
        "enable.auto.commit": False, "session.timeout.ms": 6000})
    try:
        consumer.subscribe([topic])
        message = consumer.poll(SECONDS)
        assert message is not None and message.error() is None
        consumer.commit(message, asynchronous=False)
        assert admin.groups()[name] in ("stable", None)
        assert admin.group(name) == ("stable", [0, 1])
        assert admin.group_offsets(name)[topic, 0] == 1
        if not isinstance(admin, AiokafkaAdmin):
            assert refusal(lambda: admin.delete_group(name)) == 68
    finally:
        consumer.close()
    assert admin.group(name) == ("empty", [])
    assert admin.group_offsets(name)[topic, 0] == 1
    admin.delete_group(name)
    assert name not in admin.groups()
    assert refusal(lambda: admin.delete_group(name)) == 69


def test_the_cluster_is_described(server, admin):
    cluster, nodes = admin.cluster()
    assert len(cluster) == 22 and nodes == [server.kafka]


@pytest.fixture(scope="module")
def confluent(server):
    return ConfluentAdmin(server).admin


@pytest.fixture(scope="module")
def kafka_python(server):
    admin = kafka.admin.KafkaAdminClient(bootstrap_servers=server.kafka)
    yield admin
    admin.close()


def test_offsets_are_listed_by_admins(server, topic, confluent, kafka_python):
    CONFLUENT.write(server, topic, [
        Record(b"k", b"v", [], 1_700_000_000_000 + number) for number in (5, 9, 7)])
    place = confluent_kafka.TopicPartition(topic, 0)
    for spec, offset in [(OffsetSpec.earliest(), 0), (OffsetSpec.latest(), 3),
                         (OffsetSpec.for_timestamp(1_700_000_000_006), 1)]:
        assert confluent.list_offsets({place: spec})[place].result(SECONDS).offset == offset
    # The record of the greatest time, which is not the last.
    assert confluent.list_offsets({place: OffsetSpec.max_timestamp()})[place].result(
        SECONDS).offset == 1
    other = kafka.TopicPartition(topic, 0)
    for spec, offset in [("EARLIEST", 0), ("LATEST", 3), ("MAX_TIMESTAMP", 1)]:
        found = kafka_python.list_partition_offsets({other: kafka.admin.OffsetSpec[spec]})
        assert found[other].offset == offset, spec


def test_offsets_of_groups_are_altered_and_deleted(server, topic, name, confluent, kafka_python):
    CONFLUENT.write(server, topic, [Record(b"k", b"v")] * 10)
    place = confluent_kafka.TopicPartition(topic, 0, 7)
    request = confluent_kafka.ConsumerGroupTopicPartitions(name, [place])
    row, = confluent.alter_consumer_group_offsets([request]).values()
    assert row.result(SECONDS).topic_partitions[0].error is None
    other = kafka.TopicPartition(topic, 0)
    assert kafka_python.list_group_offsets(name)[name][other].offset == 7
    reset = kafka_python.reset_group_offsets(name, {other: kafka.admin.OffsetSpec.EARLIEST})
    assert reset[other]["offset"] == 0
    kafka_python.delete_group_offsets(name, [other])
    assert kafka_python.list_group_offsets(name)[name].get(other) is None


def test_topics_are_described_with_their_ids(topic, confluent, kafka_python):
    row = confluent.describe_topics(
        confluent_kafka.TopicCollection([topic]))[topic].result(SECONDS)
    assert len(row.partitions) == 1 and row.partitions[0].leader.id >= 0
    described, = kafka_python.describe_topics([topic])
    assert uuid.UUID(str(described["topic_id"])).int != 0


def test_a_broker_has_settings_that_can_be_read(kafka_python):
    node = kafka_python.describe_cluster()["brokers"][0]["broker_id"]
    resource = kafka.admin.ConfigResource(kafka.admin.ConfigResourceType.BROKER, str(node))
    found, = kafka_python.describe_configs([resource], config_filter="all").values()
    assert found[str(node)]


def test_kafka_python_knows_all_that_is_advertised(kafka_python):
    assert kafka_python.api_versions()


def test_log_directories_have_sizes(server, topic, kafka_python):
    CONFLUENT.write(server, topic, [Record(b"k", b"v" * 1000)])
    assert topic in str(kafka_python.describe_log_dirs())
