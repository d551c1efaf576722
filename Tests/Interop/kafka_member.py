#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A member of a consumer group, as a process that can be killed.

    kafka_member.py CLIENT SERVER GROUP TOPIC [--assignor NAME] [--instance ID] [--session MS]

It says what happens to it, a line of JSON each: partitions assigned, revoked, lost; records; what it
committed. Times are of the clock that all processes of a machine share. SIGTERM makes it leave.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import time

stopping = False


def say(event, **more):
    # Threads of the clients speak too: a line is one write, so that nothing gets in between.
    line = json.dumps({"event": event, "time": time.monotonic(), **more}) + "\n"
    os.write(1, line.encode())


def say_record(message_partition, offset, value):
    say("record", partition=message_partition, offset=offset, value=value.decode())


def stop(*_):
    global stopping
    stopping = True


def run_confluent(options):
    import confluent_kafka

    def numbers(partitions):
        return [place.partition for place in partitions]

    settings = {
        "bootstrap.servers": options.server, "group.id": options.group,
        "session.timeout.ms": options.session, "heartbeat.interval.ms": options.heartbeat,
        "partition.assignment.strategy": options.assignor, "auto.offset.reset": "earliest",
        "enable.auto.commit": False, "fetch.wait.max.ms": 50, "reconnect.backoff.ms": 50,
        "reconnect.backoff.max.ms": 200, "topic.metadata.refresh.interval.ms": 1000,
        "error_cb": lambda error: say("error", code=error.code(), text=str(error))}
    if options.instance:
        settings["group.instance.id"] = options.instance
    consumer = confluent_kafka.Consumer(settings)
    consumer.subscribe(
        [options.topic],
        on_assign=lambda _, places: say("assigned", partitions=numbers(places)),
        on_revoke=lambda _, places: say("revoked", partitions=numbers(places)),
        on_lost=lambda _, places: say("lost", partitions=numbers(places)))
    while not stopping:
        message = consumer.poll(0.1)
        if message is None:
            continue
        if message.error() is not None:
            say("error", code=message.error().code(), text=str(message.error()))
            if message.error().fatal():
                break
            continue
        say_record(message.partition(), message.offset(), message.value())
        try:
            consumer.commit(message, asynchronous=False)
            say("committed", partition=message.partition(), offset=message.offset() + 1)
        except confluent_kafka.KafkaException as error:
            say("error", code=error.args[0].code(), text=str(error))
    say("leaving")
    consumer.close()


def run_kafka_python(options):
    import kafka
    from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
    from kafka.coordinator.assignors.range import RangePartitionAssignor
    from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor

    assignors = {"range": RangePartitionAssignor, "roundrobin": RoundRobinPartitionAssignor,
                 "cooperative-sticky": CooperativeStickyAssignor}

    def numbers(partitions):
        return sorted(place.partition for place in partitions)

    class Listener(kafka.ConsumerRebalanceListener):
        def on_partitions_assigned(self, assigned):
            say("assigned", partitions=numbers(assigned))

        def on_partitions_revoked(self, revoked):
            say("revoked", partitions=numbers(revoked))

        def on_partitions_lost(self, lost):
            say("lost", partitions=numbers(lost))

    consumer = kafka.KafkaConsumer(
        bootstrap_servers=options.server, group_id=options.group, enable_auto_commit=False,
        auto_offset_reset="earliest", session_timeout_ms=options.session,
        heartbeat_interval_ms=options.heartbeat, group_instance_id=options.instance,
        partition_assignment_strategy=[assignors[options.assignor]], fetch_max_wait_ms=50,
        metadata_max_age_ms=1000)
    consumer.subscribe([options.topic], listener=Listener())
    while not stopping:
        try:
            polled = consumer.poll(timeout_ms=100)
            for messages in polled.values():
                for message in messages:
                    say_record(message.partition, message.offset, message.value)
            if polled:
                consumer.commit()
                say("committed")
        except kafka.errors.FencedInstanceIdError as error:
            say("error", code=82, text=str(error))
            break
        except kafka.errors.KafkaError as error:
            say("error", code=getattr(error, "errno", None), text=repr(error))
    say("leaving")
    consumer.close(autocommit=False)


def run_aiokafka(options):
    import aiokafka
    from aiokafka.coordinator.assignors.range import RangePartitionAssignor
    from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor

    assignors = {"range": RangePartitionAssignor, "roundrobin": RoundRobinPartitionAssignor}

    def numbers(partitions):
        return sorted(place.partition for place in partitions)

    class Listener(aiokafka.ConsumerRebalanceListener):
        def on_partitions_revoked(self, revoked):
            say("revoked", partitions=numbers(revoked))

        def on_partitions_assigned(self, assigned):
            say("assigned", partitions=numbers(assigned))

    async def run():
        consumer = aiokafka.AIOKafkaConsumer(
            bootstrap_servers=options.server, group_id=options.group, enable_auto_commit=False,
            auto_offset_reset="earliest", session_timeout_ms=options.session,
            heartbeat_interval_ms=options.heartbeat, group_instance_id=options.instance,
            partition_assignment_strategy=[assignors[options.assignor]], fetch_max_wait_ms=50,
            metadata_max_age_ms=1000)
        consumer.subscribe([options.topic], listener=Listener())
        await consumer.start()
        while not stopping:
            try:
                polled = await consumer.getmany(timeout_ms=100)
                for messages in polled.values():
                    for message in messages:
                        say_record(message.partition, message.offset, message.value)
                if polled:
                    await consumer.commit()
                    say("committed")
            except aiokafka.errors.KafkaError as error:
                say("error", code=getattr(error, "errno", None), text=repr(error))
                await asyncio.sleep(0.1)
        say("leaving")
        await consumer.stop()

    asyncio.run(run())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("client", choices=["confluent", "kafka-python", "aiokafka"])
    parser.add_argument("server")
    parser.add_argument("group")
    parser.add_argument("topic")
    parser.add_argument("--assignor", default="range")
    parser.add_argument("--instance")
    parser.add_argument("--session", type=int, default=6000)
    parser.add_argument("--heartbeat", type=int, default=300)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, stop)
    say("started")
    {"confluent": run_confluent, "kafka-python": run_kafka_python,
     "aiokafka": run_aiokafka}[options.client](options)
    say("left")


if __name__ == "__main__":
    sys.exit(main())
