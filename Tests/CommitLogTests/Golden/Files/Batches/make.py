# SPDX-License-Identifier: Apache-2.0
"""Writes the batches that three Kafka clients make of the same records, with each codec.

    pip install confluent-kafka==2.16.1 kafka-python==3.0.12 aiokafka==0.14.0 cramjam==2.14.0 \\
        python-snappy==0.7.3 lz4==4.4.5 zstandard==0.25.0
    python3 make.py

librdkafka and aiokafka produce to librdkafka's mock broker, whose batches are then fetched. The
mock is too small a broker for kafka-python, whose record builder is called in its place.
"""

import asyncio
import pathlib
import socket
import struct
import textwrap

import aiokafka
import confluent_kafka
import kafka.record.default_records as kafka_records

START = 1_700_000_000_000
RECORDS = [
    (START + n, None if n % 7 == 0 else b"key %d" % (n % 5), b"record %d of the log\n" % n * 4)
    for n in range(20)]
HEADERS = [("kind", b"line"), ("empty", b"")]
CODECS = {"gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


def librdkafka(server, topic, codec):
    producer = confluent_kafka.Producer({
        "bootstrap.servers": "%s:%d" % server, "compression.type": codec, "linger.ms": 500})
    for timestamp, key, value in RECORDS:
        producer.produce(topic, value, key, partition=0, timestamp=timestamp, headers=HEADERS)
    assert producer.flush(20) == 0
    return fetch(server, topic)


def aiokafka_client(server, topic, codec):
    async def run():
        producer = aiokafka.AIOKafkaProducer(
            bootstrap_servers="%s:%d" % server, compression_type=codec, linger_ms=500,
            max_batch_size=1 << 20)
        await producer.start()
        sent = [
            await producer.send(
                topic, value, key, partition=0, timestamp_ms=timestamp, headers=HEADERS)
            for timestamp, key, value in RECORDS]
        await asyncio.gather(*sent)
        await producer.stop()
    asyncio.run(run())
    return fetch(server, topic)


def kafka_python(_, topic, codec):
    builder = kafka_records.DefaultRecordBatchBuilder(
        magic=2, compression_type=CODECS[codec], is_transactional=False, producer_id=-1,
        producer_epoch=-1, base_sequence=-1, batch_size=1 << 20)
    for offset, (timestamp, key, value) in enumerate(RECORDS):
        assert builder.append(offset, timestamp, key, value, HEADERS) is not None
    return bytes(builder.build())


def fetch(server, topic):
    """All of partition 0, by one Fetch request of version 4."""
    request = struct.pack(">hhih", 1, 4, 7, 1) + b"x"
    request += struct.pack(">iiiib", -1, 100, 1, 1 << 20, 0)
    request += struct.pack(">ih", 1, len(topic)) + topic.encode()
    request += struct.pack(">iiqi", 1, 0, 0, 1 << 20)
    with socket.create_connection(server, 10) as connection, connection.makefile("rb") as answers:
        connection.sendall(struct.pack(">i", len(request)) + request)
        answer = answers.read(struct.unpack(">i", answers.read(4))[0])
    position = 4 + 4 + 4 + 2 + len(topic) + 4
    _, error, _, _, aborted, = struct.unpack_from(">ihqqi", answer, position)
    assert error == 0 and aborted <= 0
    position += 26
    size, = struct.unpack_from(">i", answer, position)
    return answer[position + 4:position + 4 + size]


def main():
    mock = confluent_kafka.Producer({"bootstrap.servers": "mock", "test.mock.num.brokers": 1})
    broker = next(iter(mock.list_topics(timeout=10).brokers.values()))
    clients = {"librdkafka": librdkafka, "aiokafka": aiokafka_client, "kafka-python": kafka_python}
    for client, write in clients.items():
        for codec, number in CODECS.items():
            batch = write((broker.host, broker.port), f"{client}-{codec}", codec)
            assert struct.unpack_from(">i", batch, 8)[0] + 12 == len(batch), "one batch"
            assert struct.unpack_from(">h", batch, 21)[0] == number, "packed as asked"
            text = "\n".join(textwrap.wrap(batch.hex(), 96)) + "\n"
            pathlib.Path(__file__).with_name(f"{client}-{codec}.hex").write_text(text)
            print(client, codec, len(batch))


main()
