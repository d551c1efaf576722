# SPDX-License-Identifier: Apache-2.0
"""Idempotent producers: each record once and in order, whatever is sent twice, late or lost."""

import threading
import time

import confluent_kafka
import pytest
from kafka.protocol.producer import InitProducerIdRequest

from clients import Client
from kafka_clients import AIOKAFKA, CONFLUENT, KAFKA_PYTHON, KCAT, Record, by_name
from kafka_fixtures import make_topic, server, topic  # noqa: F401
from kafka_wire import (
    INVALID_PRODUCER_EPOCH, NONE, OUT_OF_ORDER_SEQUENCE, Wire, batch, by_producer, list_offsets,
    listed, produce, produced)


def producer_id(wire):
    response = wire.ask(InitProducerIdRequest(
        version=4, transactional_id=None, transaction_timeout_ms=1000, producer_id=-1,
        producer_epoch=-1))
    assert response.error_code == NONE
    return response.producer_id, response.producer_epoch


@pytest.fixture
def wire(server):
    with Wire(server) as wire:
        yield wire


def append(wire, topic, producer, epoch, sequence, count=2):
    values = [b"%d" % (sequence + number) for number in range(count)]
    place = produced(wire.ask(produce(topic, by_producer(batch(values), producer, epoch, sequence))))
    return place.error_code, place.base_offset


def test_each_producer_has_an_id_of_its_own(wire):
    ids = {producer_id(wire)[0] for _ in range(50)}
    assert len(ids) == 50 and min(ids) >= 0


def test_a_batch_sent_twice_is_appended_once_and_gets_its_first_offset(wire, topic):
    producer, epoch = producer_id(wire)
    # As many as clients have under way at once: each of them may be sent again.
    for number in range(5):
        assert append(wire, topic, producer, epoch, 2 * number) == (NONE, 2 * number)
    for number in reversed(range(5)):
        assert append(wire, topic, producer, epoch, 2 * number) == (NONE, 2 * number)
    assert listed(wire.ask(list_offsets(topic, -1))).offset == 10


def test_a_gap_is_refused_and_then_filled(wire, topic):
    producer, epoch = producer_id(wire)
    assert append(wire, topic, producer, epoch, 0) == (NONE, 0)
    assert append(wire, topic, producer, epoch, 4)[0] == OUT_OF_ORDER_SEQUENCE
    assert append(wire, topic, producer, epoch, 2) == (NONE, 2)
    assert append(wire, topic, producer, epoch, 4) == (NONE, 4)


def test_an_old_epoch_is_refused_and_a_new_one_begins_at_0(wire, topic):
    producer, epoch = producer_id(wire)
    assert append(wire, topic, producer, epoch, 0) == (NONE, 0)
    assert append(wire, topic, producer, epoch + 1, 2)[0] == OUT_OF_ORDER_SEQUENCE
    assert append(wire, topic, producer, epoch + 1, 0) == (NONE, 2)
    assert append(wire, topic, producer, epoch, 2)[0] == INVALID_PRODUCER_EPOCH


def test_producers_and_partitions_have_sequences_of_their_own(wire, make_topic):
    name = make_topic(2)
    (one, epoch), (two, _) = producer_id(wire), producer_id(wire)
    for partition in (0, 1):
        for producer in (one, two):
            encoded = by_producer(batch([b"x"]), producer, epoch, 0)
            assert produced(wire.ask(produce(name, encoded, partition=partition))).error_code == NONE


def test_sequences_go_on_behind_a_crash(make_server):
    server = make_server()
    Client(server.channel()).create("sequences")
    with Wire(server) as wire:
        producer, epoch = producer_id(wire)
        for number in range(6):
            assert append(wire, "sequences", producer, epoch, 2 * number) == (NONE, 2 * number)
    server.crash()
    server.start()
    with Wire(server) as wire:
        for number in range(1, 6):
            assert append(wire, "sequences", producer, epoch, 2 * number) == (NONE, 2 * number)
        assert append(wire, "sequences", producer, epoch, 14)[0] == OUT_OF_ORDER_SEQUENCE
        assert append(wire, "sequences", producer, epoch, 12) == (NONE, 12)
        # Nobody else gets the number of one who may still be there.
        assert producer_id(wire)[0] != producer


@pytest.mark.parametrize("client, settings", [
    (CONFLUENT, {"enable.idempotence": True}), (KAFKA_PYTHON, {"enable_idempotence": True}),
    (AIOKAFKA, {"enable_idempotence": True}), (KCAT, {"enable.idempotence": "true"})],
    ids=lambda value: value.name if hasattr(value, "name") else "")
def test_each_client_produces_idempotently(server, topic, client, settings):
    records = [Record(b"k", b"%d" % number) for number in range(5 if client is KCAT else 500)]
    client.write(server, topic, records, **settings)
    assert [record.value for record in CONFLUENT.read(server, topic)] == [
        record.value for record in records]


def test_records_are_there_once_and_in_order_though_the_server_is_killed(make_server):
    """Three times in the midst of producing; the client sends again what was not answered."""
    server = make_server()
    # The server comes back under the address that clients know.
    server.settings["listen.kafka.address"] = server.kafka
    Client(server.channel()).create("crashes")
    producer = confluent_kafka.Producer({
        "bootstrap.servers": server.kafka, "enable.idempotence": True, "linger.ms": 1,
        "batch.num.messages": 50, "message.timeout.ms": 60_000, "retry.backoff.ms": 20,
        "reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 100})
    failures, acknowledged, stop = [], [], threading.Event()

    def delivered(error, message):
        failures.append(error) if error else acknowledged.append(message.offset())

    def produce_on():
        number = 0
        while not stop.is_set():
            producer.produce("crashes", b"%d" % number, partition=0, on_delivery=delivered)
            number += 1
            producer.poll(0)
            if number % 50 == 0:
                time.sleep(0.002)
        numbers.append(number)

    numbers = []
    thread = threading.Thread(target=produce_on)
    thread.start()
    try:
        for _ in range(3):
            seen = len(acknowledged)
            deadline = time.monotonic() + 30
            while len(acknowledged) < seen + 500:
                assert time.monotonic() < deadline and not failures, failures[:1]
                time.sleep(0.005)
            server.crash()
            server.start()
    finally:
        stop.set()
        thread.join()
    assert producer.flush(60) == 0 and not failures, failures[:1]
    read = [record.value for record in CONFLUENT.read(server, "crashes")]
    assert read == [b"%d" % number for number in range(numbers[0])]
    assert len(acknowledged) == numbers[0]
