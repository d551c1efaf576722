# SPDX-License-Identifier: Apache-2.0
"""Reading with each client: from the beginning, the end, an offset, a time; back and forth; pauses."""

import asyncio

import aiokafka
import confluent_kafka
import kafka
import pytest

from kafka_clients import CONFLUENT, KCAT, SECONDS, Record
from kafka_fixtures import make_topic, server, topic  # noqa: F401

TIME = 1_700_000_000_000
COUNT = 100


class ConfluentReader:
    def __init__(self, server, topic):
        self.topic = topic
        self.client = confluent_kafka.Consumer({
            "bootstrap.servers": server.kafka, "group.id": "reader", "fetch.wait.max.ms": 50,
            "enable.auto.commit": False, "auto.offset.reset": "error"})

    def begin(self, where):
        offset = {"start": confluent_kafka.OFFSET_BEGINNING, "end": confluent_kafka.OFFSET_END}
        self.client.assign([self._place(offset.get(where, where))])

    def seek(self, offset):
        self.client.seek(self._place(offset))

    def take(self, count, seconds=SECONDS):
        taken = []
        while len(taken) < count:
            message = self.client.poll(seconds)
            if message is None:
                break
            assert message.error() is None, message.error()
            taken.append(message.value())
        return taken

    def at(self, time):
        return self.client.offsets_for_times([self._place(time)], timeout=SECONDS)[0].offset

    def bounds(self):
        return self.client.get_watermark_offsets(self._place(0), timeout=SECONDS)

    def pause(self):
        self.client.pause([self._place(0)])

    def resume(self):
        self.client.resume([self._place(0)])

    def close(self):
        self.client.close()

    def _place(self, offset):
        return confluent_kafka.TopicPartition(self.topic, 0, offset)


class KafkaPythonReader:
    def __init__(self, server, topic):
        self.place = kafka.TopicPartition(topic, 0)
        self.client = kafka.KafkaConsumer(
            bootstrap_servers=server.kafka, fetch_max_wait_ms=50, auto_offset_reset="none")

    def begin(self, where):
        self.client.assign([self.place])
        if where == "start":
            self.client.seek_to_beginning(self.place)
        elif where == "end":
            self.client.seek_to_end(self.place)
            self.client.position(self.place)
        else:
            self.seek(where)

    def seek(self, offset):
        self.client.seek(self.place, offset)

    def take(self, count, seconds=SECONDS):
        taken = []
        while len(taken) < count:
            polled = self.client.poll(timeout_ms=seconds * 1000, max_records=count - len(taken))
            if not polled:
                break
            taken += [message.value for message in polled[self.place]]
        return taken

    def at(self, time):
        found = self.client.offsets_for_times({self.place: time})[self.place]
        return -1 if found is None else found.offset

    def bounds(self):
        return (self.client.beginning_offsets([self.place])[self.place],
                self.client.end_offsets([self.place])[self.place])

    def pause(self):
        self.client.pause(self.place)

    def resume(self):
        self.client.resume(self.place)

    def close(self):
        self.client.close(autocommit=False)


class AiokafkaReader:
    def __init__(self, server, topic):
        self.place = aiokafka.TopicPartition(topic, 0)
        self.runner = asyncio.Runner()

        async def start():
            client = aiokafka.AIOKafkaConsumer(
                bootstrap_servers=server.kafka, fetch_max_wait_ms=50, auto_offset_reset="none")
            await client.start()
            return client

        self.client = self._run(start())

    def _run(self, work):
        return self.runner.run(asyncio.wait_for(work, SECONDS + 5))

    def _call(self, function, *arguments):
        """Calls what is no coroutine and yet needs the loop."""

        async def call():
            return function(*arguments)

        return self._run(call())

    def begin(self, where):
        self._call(self.client.assign, [self.place])
        if where == "start":
            self._run(self.client.seek_to_beginning(self.place))
        elif where == "end":
            self._run(self.client.seek_to_end(self.place))
            self._run(self.client.position(self.place))
        else:
            self.seek(where)

    def seek(self, offset):
        self._call(self.client.seek, self.place, offset)

    def take(self, count, seconds=SECONDS):
        taken = []
        while len(taken) < count:
            polled = self._run(self.client.getmany(
                timeout_ms=int(seconds * 1000), max_records=count - len(taken)))
            if not polled:
                break
            taken += [message.value for message in polled[self.place]]
        return taken

    def at(self, time):
        found = self._run(self.client.offsets_for_times({self.place: time}))[self.place]
        return -1 if found is None else found.offset

    def bounds(self):
        return (self._run(self.client.beginning_offsets([self.place]))[self.place],
                self._run(self.client.end_offsets([self.place]))[self.place])

    def pause(self):
        self._call(self.client.pause, self.place)

    def resume(self):
        self._call(self.client.resume, self.place)

    def close(self):
        self._run(self.client.stop())
        self.runner.close()


@pytest.fixture(params=[ConfluentReader, KafkaPythonReader, AiokafkaReader],
                ids=["confluent", "kafka-python", "aiokafka"])
def reader(request, server, full):
    reader = request.param(server, full)
    yield reader
    reader.close()


@pytest.fixture
def full(server, topic):
    """A topic of a hundred records, a second apart, in several batches."""
    for first in range(0, COUNT, 25):
        CONFLUENT.write(server, topic, records(first, first + 25))
    return topic


def records(first, last):
    return [Record(b"k", b"%d" % number, [], TIME + 1000 * number) for number in range(first, last)]


def values(first, last):
    return [b"%d" % number for number in range(first, last)]


def test_from_the_beginning_come_all(reader):
    reader.begin("start")
    assert reader.take(COUNT) == values(0, COUNT)
    assert reader.bounds() == (0, COUNT)


def test_from_the_end_come_those_that_are_new(server, full, reader):
    reader.begin("end")
    # librdkafka looks for the end about half a second after it was told to begin there.
    assert reader.take(1, 1.5) == []
    CONFLUENT.write(server, full, records(COUNT, COUNT + 5))
    assert reader.take(5) == values(COUNT, COUNT + 5)


def test_from_an_offset_in_the_midst_of_a_batch(reader):
    reader.begin(37)
    assert reader.take(COUNT - 37) == values(37, COUNT)


def test_from_a_time(reader):
    for time, offset in [(TIME - 1, 0), (TIME, 0), (TIME + 36_001, 37), (TIME + 37_000, 37),
                         (TIME + 99_000, 99)]:
        assert reader.at(time) == offset, time
    assert reader.at(TIME + 99_001) == -1
    reader.begin(reader.at(TIME + 60_500))
    assert reader.take(COUNT - 61) == values(61, COUNT)


def test_back_and_forth(reader):
    reader.begin("start")
    assert reader.take(10) == values(0, 10)
    reader.seek(90)
    assert reader.take(10) == values(90, 100)
    reader.seek(3)
    assert reader.take(4) == values(3, 7)


def test_a_pause_holds_records_back_and_loses_none(server, full, reader):
    reader.begin("start")
    assert reader.take(10) == values(0, 10)
    reader.pause()
    CONFLUENT.write(server, full, records(COUNT, COUNT + 5))
    assert reader.take(1, 0.5) == []
    reader.resume()
    assert reader.take(COUNT - 5) == values(10, COUNT + 5)


def test_an_offset_that_is_not_there_is_an_error_of_the_clients(reader):
    reader.begin(COUNT + 1000)
    with pytest.raises((AssertionError, kafka.errors.OffsetOutOfRangeError,
                        aiokafka.errors.OffsetOutOfRangeError)):
        reader.take(1, 5)


def test_kcat_begins_where_it_is_told(server, full):
    def read(start):
        output = KCAT.run(server, "-C", "-t", full, "-p", 0, "-o", start, "-e", "-f", "%s\n").stdout
        return output.splitlines()

    assert read("beginning") == values(0, COUNT)
    assert read("end") == []
    assert read("37") == values(37, COUNT)
    assert read("-3") == values(97, COUNT)
    assert read(f"s@{TIME + 60_500}") == values(61, COUNT)


def test_kcat_lists_and_queries(server, full):
    import json
    listed = json.loads(KCAT.run(server, "-L", "-J").stdout)
    assert full in [row["topic"] for row in listed["topics"]]
    assert listed["brokers"][0]["name"] == server.kafka
    asked = KCAT.run(server, "-Q", "-t", f"{full}:0:{TIME + 60_500}").stdout
    assert b"offset 61" in asked


@pytest.mark.parametrize("isolation", ["read_committed", "read_uncommitted"])
def test_what_is_committed_is_all_there_is(server, full, isolation):
    read = CONFLUENT.read(server, full, **{"isolation.level": isolation})
    assert [record.value for record in read] == values(0, COUNT)
