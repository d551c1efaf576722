# SPDX-License-Identifier: Apache-2.0
"""Other people's Kafka clients, each behind the same two calls: write records, read a partition.

kcat is Debian's, on librdkafka 2.0; confluent-kafka brings librdkafka 2.16; kafka-python and aiokafka
are written in Python, each with a protocol of its own. `grpc` is Cordwood's own API, so that what one
side writes the other is seen to read.
"""

import asyncio
import base64
import json
import subprocess
import typing

import aiokafka
import confluent_kafka
import grpc
import kafka

from clients import Client, logs, place
from clients import records as messages
from server import environment

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
SECONDS = 20


class Record(typing.NamedTuple):
    """What every client must give back; `None` and the empty differ."""

    key: bytes | None
    value: bytes | None
    headers: list = []
    timestamp: int | None = None


class Confluent:
    name = "confluent"

    def write(self, server, topic, records, codec="none", **settings):
        """Gives the offsets."""
        offsets, failures = [], []

        def delivered(error, message):
            failures.append(error) if error else offsets.append(message.offset())

        producer = confluent_kafka.Producer({
            "bootstrap.servers": server.kafka, "compression.type": codec, "linger.ms": 50,
            "message.timeout.ms": SECONDS * 1000, **settings})
        for record in records:
            more = {} if record.timestamp is None else {"timestamp": record.timestamp}
            producer.produce(topic, value=record.value, key=record.key, headers=record.headers,
                             partition=0, on_delivery=delivered, **more)
        assert producer.flush(SECONDS) == 0, "not all were answered"
        if failures:
            raise confluent_kafka.KafkaException(failures[0])
        return offsets

    def read(self, server, topic, start=0, partition=0, **settings):
        """All records from an offset to the end."""
        consumer = confluent_kafka.Consumer({
            "bootstrap.servers": server.kafka, "group.id": "reader", "enable.auto.commit": False,
            "enable.partition.eof": True, "fetch.wait.max.ms": 10, "check.crcs": True,
            **settings})
        try:
            consumer.assign([confluent_kafka.TopicPartition(topic, partition, start)])
            read = []
            while True:
                message = consumer.poll(SECONDS)
                assert message is not None, f"nothing came in {SECONDS} s"
                if message.error() is None:
                    read.append(Record(message.key(), message.value(), message.headers() or [],
                                       message.timestamp()[1]))
                elif message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF:
                    return read
                else:
                    raise confluent_kafka.KafkaException(message.error())
        finally:
            consumer.close()


class KafkaPython:
    name = "kafka-python"

    def write(self, server, topic, records, codec="none", **settings):
        producer = kafka.KafkaProducer(
            bootstrap_servers=server.kafka, compression_type=None if codec == "none" else codec,
            linger_ms=50, **settings)
        try:
            futures = [producer.send(topic, value=record.value, key=record.key, partition=0,
                                     headers=record.headers, timestamp_ms=record.timestamp)
                       for record in records]
            producer.flush(SECONDS * 1000)
            return [future.get(SECONDS).offset for future in futures]
        finally:
            producer.close(timeout=1)

    def read(self, server, topic, start=None, partition=0, **settings):
        consumer = kafka.KafkaConsumer(
            bootstrap_servers=server.kafka, group_id=None, fetch_max_wait_ms=10, check_crcs=True,
            **settings)
        try:
            place = kafka.TopicPartition(topic, partition)
            consumer.assign([place])
            if start is None:
                consumer.seek_to_beginning(place)
            else:
                consumer.seek(place, start)
            end = consumer.end_offsets([place])[place]
            read = []
            while consumer.position(place) < end:
                for message in consumer.poll(timeout_ms=SECONDS * 1000).get(place, []):
                    read.append(Record(message.key, message.value, list(message.headers),
                                       message.timestamp))
            return read
        finally:
            consumer.close(autocommit=False)


class Aiokafka:
    name = "aiokafka"

    def write(self, server, topic, records, codec="none", **settings):
        async def run():
            producer = aiokafka.AIOKafkaProducer(
                bootstrap_servers=server.kafka, compression_type=None if codec == "none" else codec,
                linger_ms=50, **settings)
            await producer.start()
            try:
                futures = [
                    await producer.send(topic, value=record.value, key=record.key, partition=0,
                                        headers=record.headers, timestamp_ms=record.timestamp)
                    for record in records]
                # Without acks there is nothing to know of a record.
                answers = [await future for future in futures]
                return [answer and answer.offset for answer in answers]
            finally:
                await producer.stop()

        return asyncio.run(asyncio.wait_for(run(), SECONDS))

    def read(self, server, topic, start=None, partition=0, **settings):
        async def run():
            consumer = aiokafka.AIOKafkaConsumer(
                bootstrap_servers=server.kafka, group_id=None, fetch_max_wait_ms=10,
                check_crcs=True, **settings)
            await consumer.start()
            try:
                place = aiokafka.TopicPartition(topic, partition)
                consumer.assign([place])
                if start is None:
                    await consumer.seek_to_beginning(place)
                else:
                    consumer.seek(place, start)
                end = (await consumer.end_offsets([place]))[place]
                read = []
                while await consumer.position(place) < end:
                    for message in (await consumer.getmany(timeout_ms=1000)).get(place, []):
                        read.append(Record(message.key, message.value, list(message.headers),
                                           message.timestamp))
                return read
            finally:
                await consumer.stop()

        return asyncio.run(asyncio.wait_for(run(), SECONDS))


class Kcat:
    """kcat takes records as text, headers of all records as options, and no timestamps."""

    name = "kcat"
    END = b"\x1e\x1e\x1e"

    def run(self, server, *arguments, data=None, status=0):
        result = subprocess.run(
            ["kcat", "-b", server.kafka, *map(str, arguments)], input=data,
            capture_output=True, timeout=SECONDS)
        if status is not None:
            assert result.returncode == status, result.stderr.decode(errors="replace")
        return result

    def write(self, server, topic, records, codec="none", **settings):
        """Records of the same headers go together; -Z takes what is empty as null."""
        for record in records:
            options = [part for name, value in record.headers
                       for part in ("-H", name + "=" + value.decode())]
            options += [part for name, value in settings.items() for part in ("-X", f"{name}={value}")]
            if record.key is None or record.value is None:
                options.append("-Z")
            data = (record.key or b"") + b"\x1f" + (record.value or b"") + self.END
            self.run(server, "-P", "-t", topic, "-p", 0, "-z", codec, "-X", "linger.ms=0",
                     "-K", "\x1f", "-D", self.END.decode(), *options, data=data)

    def read(self, server, topic, start="beginning", partition=0):
        """The lengths stand before the bytes, so that any byte may be in them."""
        output = self.run(
            server, "-C", "-t", topic, "-p", partition, "-o", start, "-e",
            "-X", "fetch.wait.max.ms=10", "-X", "check.crcs=true",
            "-f", "%T %K %S|%k%s%h" + self.END.decode()).stdout
        read = []
        while output:
            lengths, output = output.split(b"|", 1)
            timestamp, key_size, value_size = map(int, lengths.split())
            key, output = self._cut(output, key_size)
            value, output = self._cut(output, value_size)
            headers, output = output.split(self.END, 1)
            read.append(Record(key, value, self._headers(headers), timestamp))
        return read

    @staticmethod
    def _cut(data, size):
        # kcat prints NULL for what is null, with -1 as its length.
        if size < 0:
            return None, data.removeprefix(b"NULL")
        return data[:size], data[size:]

    @staticmethod
    def _headers(text):
        pairs = [part.split(b"=", 1) for part in text.split(b",")] if text else []
        return [(name.decode(), None if value == b"NULL" else value) for name, value in pairs]


class Grpc:
    """Cordwood's own protocol: writes by gRPC, reads with the command line."""

    name = "grpc"

    def write(self, server, topic, records, codec="none"):
        client = Client(server.channel())
        response = client.log.Produce(logs.ProduceRequest(
            partition=place(topic), records=[self._message(record) for record in records]),
            timeout=SECONDS)
        return list(range(response.base_offset, response.base_offset + len(records)))

    @staticmethod
    def _message(record):
        message = messages.Record(key=record.key, value=record.value,
                                  timestamp_ms=record.timestamp)
        for name, value in record.headers:
            message.headers.append(messages.Header(name=name, value=value))
        return message

    def read(self, server, topic, start="start", partition=0):
        result = subprocess.run(
            [server.binary, "consume", topic, "--from", str(start), "-p", str(partition),
             "-o", "jsonl"],
            capture_output=True, timeout=SECONDS,
            env={**environment({}), "CORDWOOD_SERVER": server.address, "NO_COLOR": "1"})
        assert result.returncode == 0, result.stderr.decode()
        return [self._record(json.loads(line)) for line in result.stdout.splitlines()]

    @classmethod
    def _record(cls, fields):
        headers = [(header["name"], cls._bytes(header, "value")) for header in fields["headers"]]
        return Record(cls._bytes(fields, "key"), cls._bytes(fields, "value"), headers,
                      fields["timestamp_ms"])

    @staticmethod
    def _bytes(fields, name):
        if f"{name}_base64" in fields:
            return base64.b64decode(fields[f"{name}_base64"])
        return None if fields.get(name) is None else fields[name].encode()


KCAT, CONFLUENT, KAFKA_PYTHON, AIOKAFKA, GRPC = (
    Kcat(), Confluent(), KafkaPython(), Aiokafka(), Grpc())
KAFKA_CLIENTS = [KCAT, CONFLUENT, KAFKA_PYTHON, AIOKAFKA]
EVERYONE = [*KAFKA_CLIENTS, GRPC]


def by_name(client):
    """How a parametrised test names a client."""
    return client.name


def too_large(call):
    """Whether a call fails because a record is too large, by the client's own type of error."""
    try:
        call()
    except confluent_kafka.KafkaException as error:
        assert error.args[0].code() == confluent_kafka.KafkaError.MSG_SIZE_TOO_LARGE, error
        return True
    except (kafka.errors.MessageSizeTooLargeError, aiokafka.errors.MessageSizeTooLargeError):
        return True
    except grpc.RpcError as error:
        return error.code() in (grpc.StatusCode.INVALID_ARGUMENT,
                                grpc.StatusCode.RESOURCE_EXHAUSTED)
    return False
