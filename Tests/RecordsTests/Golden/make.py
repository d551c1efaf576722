# SPDX-License-Identifier: Apache-2.0
"""Writes the golden batches, with the record builders of two Kafka clients, which must agree.

    pip install kafka-python==3.0.12 aiokafka==0.14.0
    python3 make.py
"""

import pathlib
import textwrap

import aiokafka.record.default_records as aiokafka_records
import kafka.record.default_records as kafka_records

START = 1_700_000_000_000
ONE = [(START, b"k", b"v", [])]
VARIED = [
    (START, None, b"no key", []),
    (START + 5, b"", b"", []),
    (START - 70_000, b"tombstone", None, []),
    (START + 1, b"headers", b"x", [("a", b"1"), ("a", None), ("", b""), ("h\u00e9", b"\x00\xff")]),
    (START + 2, b"long", bytes(range(256)) * 2, []),
]
HUNDRED = [(START + n * n, b"key-%d" % n, b"value %d" % n * (n % 7), []) for n in range(100)]

NO_PRODUCER = (-1, -1, -1)
BATCHES = {
    "one": (ONE, 0, NO_PRODUCER),
    "varied": (VARIED, 0, NO_PRODUCER),
    "hundred": (HUNDRED, 0, NO_PRODUCER),
    "hundred-gzip": (HUNDRED, 1, NO_PRODUCER),
    "one-idempotent": (ONE, 0, (4_000_000_000, 7, 123)),
}


def build(builder_class, records, codec, producer):
    builder = builder_class(
        magic=2, compression_type=codec, is_transactional=False, producer_id=producer[0],
        producer_epoch=producer[1], base_sequence=producer[2], batch_size=1 << 20)
    for offset, (timestamp, key, value, headers) in enumerate(records):
        assert builder.append(offset, timestamp, key, value, headers) is not None
    return bytes(builder.build())


for name, (records, codec, producer) in BATCHES.items():
    batch = build(aiokafka_records._DefaultRecordBatchBuilderPy, records, codec, producer)
    other = build(kafka_records.DefaultRecordBatchBuilder, records, codec, producer)
    if codec == 0:  # gzip writes the time of packing into its header
        # The leader epoch, outside the checksum, is -1 with one and 0 with the other.
        assert batch[:12] + batch[16:] == other[:12] + other[16:], name
    text = "\n".join(textwrap.wrap(batch.hex(), 96)) + "\n"
    pathlib.Path(__file__).with_name(f"{name}.hex").write_text(text)
    print(name, len(batch))
