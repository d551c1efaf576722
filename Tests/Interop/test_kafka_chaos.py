# SPDX-License-Identifier: Apache-2.0
"""All at once: members of three clients come, go and die, and the server is killed among them.

CHAOS_SECONDS makes it longer, SEED repeats what was decided (not how threads ran).
"""

import os
import random
import threading
import time

import confluent_kafka

from clients import Client
from kafka_clients import CONFLUENT
from kafka_groups import consumed, nobody_shared, settle, start_member
from server import eventually

SECONDS = float(os.environ.get("CHAOS_SECONDS", "12"))
SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(2**32)))
PARTITIONS = 6
MEMBERS_MAX = 4
ASSIGNORS = {"confluent": "range", "kafka-python": "roundrobin", "aiokafka": "range"}


class Producer:
    """An idempotent producer that goes on whatever becomes of the server."""

    def __init__(self, server):
        self.client = confluent_kafka.Producer({
            "bootstrap.servers": server.kafka, "enable.idempotence": True, "linger.ms": 2,
            "message.timeout.ms": 120_000, "retry.backoff.ms": 20, "reconnect.backoff.ms": 20,
            "reconnect.backoff.max.ms": 100})
        self.count = self.acknowledged = 0
        self.failures = []
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _delivered(self, error, _):
        if error:
            self.failures.append(error)
        else:
            self.acknowledged += 1

    def _run(self):
        while not self.stopped.wait(0.002):
            self.client.produce("chaos", b"%d" % self.count, partition=self.count % PARTITIONS,
                                on_delivery=self._delivered)
            self.count += 1
            self.client.poll(0)

    def end(self):
        self.stopped.set()
        self.thread.join()


def test_whatever_happens_records_are_there_once_and_each_has_one_reader(make_server):
    print(f"SEED={SEED}")
    chance = random.Random(SEED)
    server = make_server()
    server.settings["listen.kafka.address"] = server.kafka
    Client(server.channel()).create("chaos", PARTITIONS)
    everyone = {client: [] for client in ASSIGNORS}
    living = {client: [] for client in ASSIGNORS}

    def join(client):
        member = start_member(server, client, f"of-{client}", "chaos", assignor=ASSIGNORS[client])
        everyone[client].append(member)
        living[client].append(member)

    producer = Producer(server)
    try:
        for client in ASSIGNORS:
            join(client)
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            time.sleep(chance.uniform(0.2, 1))
            client = chance.choice(list(ASSIGNORS))
            deed = chance.choice(["join", "join", "kill", "leave", "crash"])
            if deed == "join" and len(living[client]) < MEMBERS_MAX:
                join(client)
            elif deed == "crash":
                server.crash()
                server.start()
            elif deed in ("kill", "leave") and len(living[client]) > 1:
                getattr(living[client].pop(chance.randrange(len(living[client]))), deed)()
        producer.end()
        assert producer.client.flush(60) == 0 and not producer.failures, producer.failures[:1]
        wanted = {str(number) for number in range(producer.count)}
        for client in ASSIGNORS:
            settle(living[client], PARTITIONS, within=60)
            eventually(lambda: not wanted - set(consumed(everyone[client])), 60,
                       f"that {client} had consumed all")
            assert nobody_shared(everyone[client])
        for partition in range(PARTITIONS):
            read = [record.value for record in CONFLUENT.read(
                server, "chaos", partition=partition)]
            assert read == [b"%d" % number for number in range(
                partition, producer.count, PARTITIONS)]
    finally:
        producer.end()
        for member in (member for members in everyone.values() for member in members):
            if member.process.poll() is None:
                member.kill()
