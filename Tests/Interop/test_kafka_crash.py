# SPDX-License-Identifier: Apache-2.0
"""The server is killed, and groups go on where they were: offsets, members, generations."""

import confluent_kafka
import kafka
import pytest

from clients import Client
from kafka_clients import AIOKAFKA, CONFLUENT, KAFKA_PYTHON, KCAT, SECONDS, Record
from kafka_groups import consumed, nobody_shared, settle, start_member
from server import eventually

COUNT = 50


@pytest.fixture
def server(make_server):
    """A server that comes back under the same address."""
    server = make_server()
    server.settings["listen.kafka.address"] = server.kafka
    return server


def commit(server, topic, group, offset):
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": server.kafka, "group.id": group, "enable.auto.commit": False})
    place = confluent_kafka.TopicPartition(topic, 0, offset, metadata="note")
    consumer.commit(offsets=[place], asynchronous=False)
    consumer.close()


def test_committed_offsets_are_there_behind_a_crash(server):
    Client(server.channel()).create("offsets")
    CONFLUENT.write(server, "offsets", [Record(b"k", b"%d" % number) for number in range(COUNT)])
    for number in range(10):
        commit(server, "offsets", f"group-{number}", number)
    commit(server, "offsets", "group-3", 33)
    server.crash()
    server.start()
    expected = {number: 33 if number == 3 else number for number in range(10)}
    for number, offset in expected.items():
        consumer = confluent_kafka.Consumer({
            "bootstrap.servers": server.kafka, "group.id": f"group-{number}"})
        place, = consumer.committed([confluent_kafka.TopicPartition("offsets", 0)], SECONDS)
        consumer.close()
        assert (place.offset, place.metadata) == (offset, "note")
    admin = kafka.KafkaAdminClient(bootstrap_servers=server.kafka)
    place = kafka.TopicPartition("offsets", 0)
    found = admin.list_group_offsets([f"group-{number}" for number in range(10)])
    assert {number: found[f"group-{number}"][place].offset for number in range(10)} == expected
    admin.close()


def test_a_deleted_group_stays_deleted(server):
    Client(server.channel()).create("offsets")
    commit(server, "offsets", "kept", 1)
    commit(server, "offsets", "deleted", 1)
    admin = kafka.KafkaAdminClient(bootstrap_servers=server.kafka)
    assert admin.delete_groups(["deleted"]) == {"deleted": "OK"}
    admin.close()
    server.crash()
    server.start()
    admin = kafka.KafkaAdminClient(bootstrap_servers=server.kafka)
    assert [row["group_id"] for row in admin.list_groups()] == ["kept"]
    admin.close()


def test_members_go_on_behind_a_crash(server):
    """All clients at once, two members a group: none stops, nothing is missed, nothing shared."""
    Client(server.channel()).create("members", 4)
    members = {client: [start_member(server, client, f"of-{client}", "members") for _ in range(2)]
               for client in ("confluent", "kafka-python", "aiokafka")}
    everyone = [member for pair in members.values() for member in pair]
    produced = []

    def produce():
        producer = confluent_kafka.Producer({"bootstrap.servers": server.kafka})
        first = len(produced)
        for number in range(first, first + COUNT):
            producer.produce("members", b"%d" % number, partition=number % 4)
            produced.append(str(number))
        assert producer.flush(SECONDS) == 0

    def all_is_consumed():
        for client, pair in members.items():
            eventually(lambda: not set(produced) - set(consumed(pair)), 30,
                       f"that {client} had consumed all")

    try:
        for pair in members.values():
            settle(pair, 4)
        produce()
        all_is_consumed()
        server.crash()
        server.start()
        produce()
        all_is_consumed()
        for pair in members.values():
            settle(pair, 4)
            assert nobody_shared(pair)
    finally:
        for member in everyone:
            if member.process.poll() is None:
                member.kill()


@pytest.mark.parametrize("client", [KCAT, CONFLUENT, KAFKA_PYTHON, AIOKAFKA],
                         ids=lambda client: client.name)
def test_acknowledged_records_are_there_behind_a_crash(server, client):
    Client(server.channel()).create("kept")
    records = [Record(b"k", b"%d" % number) for number in range(20)]
    client.write(server, "kept", records)
    server.crash()
    server.start()
    for reader in (KCAT, CONFLUENT, KAFKA_PYTHON, AIOKAFKA):
        assert [record.value for record in reader.read(server, "kept")] == [
            record.value for record in records], reader.name
