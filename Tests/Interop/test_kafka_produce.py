# SPDX-License-Identifier: Apache-2.0
"""Producing with each client: acks, sizes at the limit, batches, many partitions, new topics."""

import confluent_kafka
import kafka
import pytest

from kafka_clients import (
    AIOKAFKA, CODECS, CONFLUENT, GRPC, KAFKA_CLIENTS, KAFKA_PYTHON, KCAT, SECONDS, Record, by_name,
    too_large)
from kafka_fixtures import make_topic, server, topic  # noqa: F401
from server import eventually

LIMIT = 1 << 20
# What a batch of one record has beside its value is under 100 bytes.
AROUND = 100

# How each client is told to send what the server may refuse.
UNLIMITED = {
    CONFLUENT: {"message.max.bytes": 4 * LIMIT}, KCAT: {"message.max.bytes": 4 * LIMIT},
    KAFKA_PYTHON: {"max_request_size": 4 * LIMIT}, AIOKAFKA: {"max_request_size": 4 * LIMIT}}


def values(records):
    return [record.value for record in records]


@pytest.mark.parametrize("acks", ["0", "1", "all"])
@pytest.mark.parametrize("client", KAFKA_CLIENTS, ids=by_name)
def test_records_arrive_with_any_acks(server, topic, client, acks):
    settings = {"acks": acks}
    if client in (KAFKA_PYTHON, AIOKAFKA):
        settings = {"acks": acks if acks == "all" else int(acks), "enable_idempotence": False}
    records = [Record(b"k", b"%d" % number) for number in range(20)]
    client.write(server, topic, records, **settings)
    # Without acks nobody has said that they are there already.
    eventually(lambda: len(CONFLUENT.read(server, topic)) == 20, what="20 records")
    assert values(CONFLUENT.read(server, topic)) == values(records)


@pytest.mark.parametrize("client", KAFKA_CLIENTS, ids=by_name)
def test_a_record_just_under_the_limit_is_taken(server, topic, client):
    record = Record(b"k", b"x" * (LIMIT - AROUND))
    client.write(server, topic, [record], **UNLIMITED[client])
    for reader in (KCAT, CONFLUENT, KAFKA_PYTHON, AIOKAFKA, GRPC):
        assert values(reader.read(server, topic)) == [record.value], reader.name


@pytest.mark.parametrize("client", [CONFLUENT, KAFKA_PYTHON, AIOKAFKA], ids=by_name)
def test_a_record_over_the_limit_is_refused_as_too_large(server, topic, client):
    record = Record(b"k", b"x" * (LIMIT + 1))
    assert too_large(lambda: client.write(server, topic, [record], **UNLIMITED[client]))
    client.write(server, topic, [Record(b"k", b"small")])
    assert values(CONFLUENT.read(server, topic)) == [b"small"]


def test_kcat_says_that_a_record_over_the_limit_is_too_large(server, topic):
    result = KCAT.run(server, "-P", "-t", topic, "-p", 0, "-X", f"message.max.bytes={4 * LIMIT}",
                      data=b"x" * (LIMIT + 1), status=None)
    assert b"Message size too large" in result.stderr
    assert KCAT.read(server, topic) == []


@pytest.mark.parametrize("client", [CONFLUENT, KAFKA_PYTHON, AIOKAFKA], ids=by_name)
def test_the_limit_is_the_topics_own(server, make_topic, client):
    small = make_topic(max_message_bytes=2000)
    assert too_large(lambda: client.write(server, small, [Record(b"k", b"x" * 2000)]))
    large = make_topic(max_message_bytes=3 * LIMIT)
    client.write(server, large, [Record(b"k", b"x" * 2 * LIMIT)], **UNLIMITED[client])
    for reader in (KCAT, CONFLUENT, KAFKA_PYTHON, AIOKAFKA, GRPC):
        assert len(reader.read(server, large)[0].value) == 2 * LIMIT, reader.name


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("client", [CONFLUENT, KAFKA_PYTHON, AIOKAFKA], ids=by_name)
def test_thousands_of_records_keep_their_order(server, topic, client, codec):
    records = [Record(b"%d" % (number % 7), b"%d " % number + b"." * (number % 300))
               for number in range(2000)]
    offsets = client.write(server, topic, records, codec)
    assert offsets == list(range(2000))
    assert values(CONFLUENT.read(server, topic)) == values(records)


@pytest.mark.parametrize("client", KAFKA_CLIENTS, ids=by_name)
def test_a_topic_that_is_missing_is_made(server, client):
    name = f"made-by-{client.name}"
    client.write(server, name, [Record(b"k", b"v")])
    assert values(GRPC.read(server, name)) == [b"v"]


def test_each_client_finds_all_partitions(server, make_topic):
    name = make_topic(5)
    producer = kafka.KafkaProducer(bootstrap_servers=server.kafka)
    assert producer.partitions_for(name) == set(range(5))
    for partition in range(5):
        producer.send(name, b"%d" % partition, partition=partition)
    producer.flush(SECONDS * 1000)
    producer.close()
    for partition in range(5):
        for reader in (KCAT, CONFLUENT, KAFKA_PYTHON, AIOKAFKA, GRPC):
            assert values(reader.read(server, name, partition=partition)) == [b"%d" % partition]


def test_keys_go_to_the_same_partition_with_both_librdkafkas(server, make_topic):
    name = make_topic(8)
    producer = confluent_kafka.Producer({"bootstrap.servers": server.kafka})
    for number in range(40):
        producer.produce(name, key=b"%d" % (number % 10), value=b"confluent")
    assert producer.flush(SECONDS) == 0
    KCAT.run(server, "-P", "-t", name, "-K", ":",
             data=b"".join(b"%d:kcat\n" % number for number in range(10)))
    places = {}
    for partition in range(8):
        for record in CONFLUENT.read(server, name, partition=partition):
            places.setdefault(record.key, set()).add(partition)
    assert len(places) == 10 and all(len(found) == 1 for found in places.values())
