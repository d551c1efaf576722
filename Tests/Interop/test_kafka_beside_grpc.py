# SPDX-License-Identifier: Apache-2.0
"""Kafka's clients and Cordwood's own beside each other: topics, waiting readers, groups on the command
line."""

import itertools
import json
import subprocess
import threading
import time

import confluent_kafka
import kafka
import pytest

from clients import Client
from kafka_clients import CONFLUENT, GRPC, KAFKA_CLIENTS, SECONDS, Record, by_name
from kafka_fixtures import make_topic, server, topic  # noqa: F401
from kafka_wire import Wire, batch, fetch, fetched, metadata, produce
from server import environment, eventually

names = itertools.count()
DAY = 86_400_000


@pytest.fixture
def cordwood(server):
    """Runs the command line against the module's server."""

    def run(*arguments, status=0):
        result = subprocess.run(
            [server.binary, *map(str, arguments)], capture_output=True, text=True, timeout=SECONDS,
            stdin=subprocess.DEVNULL,
            env={**environment({}), "CORDWOOD_SERVER": server.address, "NO_COLOR": "1"})
        assert result.returncode == status, result.stderr
        return result.stdout

    return run


@pytest.fixture
def client(server):
    channel = server.channel()
    yield Client(channel)
    channel.close()


def test_a_reader_over_grpc_wakes_for_what_kafka_writes(server, client, topic):
    got = []

    def follow():
        for message in client.consume(topic, follow=True):
            got.extend(record.value for record in message.records)
            if len(got) >= 2:
                return

    thread = threading.Thread(target=follow)
    thread.start()
    CONFLUENT.write(server, topic, [Record(b"k", b"one")])
    eventually(lambda: got == [b"one"], what="the first record")
    CONFLUENT.write(server, topic, [Record(b"k", b"two")], "zstd")
    thread.join(SECONDS)
    assert got == [b"one", b"two"]


def test_a_fetch_wakes_for_what_grpc_writes(server, client, topic):
    with Wire(server) as wire:
        waiting = fetch(topic, wait=20_000)
        number = wire.send(waiting)
        assert wire.says_nothing(0.1)
        began = time.monotonic()
        client.produce(topic, [b"by gRPC"])
        assert fetched(wire.receive(waiting, number)).records
        assert time.monotonic() - began < 5


def test_topics_of_one_side_are_seen_by_the_other(server, client):
    admin = kafka.KafkaAdminClient(bootstrap_servers=server.kafka)
    try:
        name = f"seen-{next(names)}"
        client.create(name, 3)
        assert len(admin.describe_topics([name])[0]["partitions"]) == 3
        admin.create_partitions({name: 4})
        from clients import topics
        described = client.topics.DescribeTopic(
            topics.DescribeTopicRequest(name=name), timeout=SECONDS)
        assert described.topic.partition_count == 4
        admin.delete_topics([name])
        with Wire(server) as wire:
            assert wire.ask(metadata([name])).topics[0].error_code == 3
    finally:
        admin.close()


def test_what_the_server_keeps_for_itself_takes_no_records(server):
    """Its own topics may be seen; writing to them would let a client forge offsets."""
    with Wire(server) as wire:
        internal = [row.name for row in wire.ask(metadata(None)).topics if row.is_internal]
        for name in [*internal, "__consumer_offsets", "__cordwood_groups"]:
            answer = wire.ask(produce(name, batch([b"forged"])))
            assert answer.responses[0].partition_responses[0].error_code != 0, name


def commit(server, topic, group, offset, partition=0):
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": server.kafka, "group.id": group, "enable.auto.commit": False})
    consumer.commit(offsets=[confluent_kafka.TopicPartition(topic, partition, offset)],
                    asynchronous=False)
    consumer.close()


def test_lag_is_told_in_records_and_in_seconds(server, cordwood, topic):
    group = f"lag-{next(names)}"
    now = int(time.time() * 1000)
    CONFLUENT.write(server, topic, [
        Record(b"k", b"%d" % number, [], now - (10 - number) * 60_000) for number in range(10)])
    commit(server, topic, group, 4)

    def lag():
        shown = json.loads(cordwood("group", "lag", group, "-o", "json"))
        return shown["lag_records"], shown["lag_seconds"]

    records, seconds = lag()
    # The first that is not consumed is six minutes old.
    assert records == 6 and 355 <= seconds <= 400
    commit(server, topic, group, 10)
    assert lag() == (0, 0)


def test_groups_are_listed_described_reset_and_deleted(server, cordwood, topic):
    group = f"billing-{next(names)}"
    CONFLUENT.write(server, topic, [Record(b"k", b"%d" % number) for number in range(10)])
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": server.kafka, "group.id": group, "auto.offset.reset": "earliest",
        "enable.auto.commit": False, "client.id": "till"})
    try:
        consumer.subscribe([topic])
        messages = consumer.consume(10, SECONDS)
        assert len(messages) == 10
        consumer.commit(messages[-1], asynchronous=False)
        assert group in cordwood("group", "list")
        described = cordwood("group", "describe", group)
        assert "till" in described and topic in described
        # With members it is moved by nobody but them.
        cordwood("group", "reset", group, "--to", "start", "--yes", status=1)
    finally:
        consumer.close()
    cordwood("group", "reset", group, "--to", "3", "--dry-run")
    assert committed(server, group, topic) == 10
    cordwood("group", "reset", group, "--to", "3", "--yes")
    assert committed(server, group, topic) == 3
    cordwood("group", "reset", group, "--shift", "-1", "--yes")
    assert committed(server, group, topic) == 2
    cordwood("group", "delete", group, "--yes")
    assert group not in cordwood("group", "list")
    assert committed(server, group, topic) == confluent_kafka.OFFSET_INVALID


def committed(server, group, topic):
    consumer = confluent_kafka.Consumer({"bootstrap.servers": server.kafka, "group.id": group})
    place, = consumer.committed([confluent_kafka.TopicPartition(topic, 0)], SECONDS)
    consumer.close()
    return place.offset


@pytest.mark.parametrize("client", KAFKA_CLIENTS[1:], ids=by_name)
def test_a_transactional_producer_is_told_that_there_are_none(server, client):
    """At once, and not by waiting until it gives up."""
    began = time.monotonic()
    if client is CONFLUENT:
        producer = confluent_kafka.Producer({
            "bootstrap.servers": server.kafka, "transactional.id": "t"})
        with pytest.raises(confluent_kafka.KafkaException):
            producer.init_transactions(SECONDS)
    elif client.name == "kafka-python":
        producer = kafka.KafkaProducer(bootstrap_servers=server.kafka, transactional_id="t")
        with pytest.raises(kafka.errors.KafkaError):
            producer.init_transactions()
        producer.close(timeout=1)
    else:
        import asyncio

        import aiokafka

        async def run():
            producer = aiokafka.AIOKafkaProducer(
                bootstrap_servers=server.kafka, transactional_id="t")
            try:
                await asyncio.wait_for(producer.start(), SECONDS)
            finally:
                await producer.stop()

        with pytest.raises(aiokafka.errors.KafkaError):
            asyncio.run(run())
    assert time.monotonic() - began < SECONDS / 2


@pytest.mark.parametrize("client", KAFKA_CLIENTS, ids=by_name)
def test_sixty_partitions_are_read_over_one_connection(server, make_topic, client):
    """Fetches of many partitions, by sessions where the client has them."""
    name = make_topic(60)
    producer = confluent_kafka.Producer({"bootstrap.servers": server.kafka, "linger.ms": 5})
    for number in range(600):
        producer.produce(name, b"%d" % number, partition=number % 60)
    assert producer.flush(SECONDS) == 0
    if client is CONFLUENT or client.name == "kcat":
        consumer = confluent_kafka.Consumer({
            "bootstrap.servers": server.kafka, "group.id": f"many-{next(names)}",
            "auto.offset.reset": "earliest"})
        if client is CONFLUENT:
            consumer.subscribe([name])
            values = [message.value() for message in consumer.consume(600, SECONDS)]
            consumer.close()
        else:
            values = client.run(server, "-C", "-t", name, "-e", "-q").stdout.split()
    elif client.name == "kafka-python":
        consumer = kafka.KafkaConsumer(
            name, bootstrap_servers=server.kafka, auto_offset_reset="earliest",
            group_id=f"many-{next(names)}", consumer_timeout_ms=SECONDS * 1000)
        values = [message.value for message in itertools.islice(consumer, 600)]
        consumer.close()
    else:
        import asyncio

        import aiokafka

        async def run():
            consumer = aiokafka.AIOKafkaConsumer(
                name, bootstrap_servers=server.kafka, auto_offset_reset="earliest",
                group_id=f"many-{next(names)}")
            await consumer.start()
            try:
                return [(await consumer.getone()).value for _ in range(600)]
            finally:
                await consumer.stop()

        values = asyncio.run(asyncio.wait_for(run(), SECONDS))
    assert sorted(values) == sorted(b"%d" % number for number in range(600))
    assert len(GRPC.read(server, name, partition=7)) == 10
