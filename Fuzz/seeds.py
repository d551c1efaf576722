# SPDX-License-Identifier: Apache-2.0
"""Writes where each fuzz target begins, from the golden bytes of the tests.

    python3 Fuzz/seeds.py FOLDER     makes FOLDER/<target>/<seed>
"""

import hashlib
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TESTS = ROOT / "Tests"


def hex_bytes(path):
    return bytes.fromhex("".join(path.read_text().split()))


def kafka_messages():
    """Each golden message behind the two bytes that choose its kind and version."""
    apis = []
    for path in (ROOT / "schemas" / "kafka").glob("*.txt"):
        text = path.read_text()
        name, key = re.search(r"^api (\w+) (\d+)$", text, re.M).groups()
        apis.append((int(key), name, int(re.search(r"^versions (\d+)", text, re.M)[1])))
    for place, (key, name, first) in enumerate(sorted(apis)):
        golden = TESTS / "KafkaProtocolTests" / "Golden" / f"{name}.txt"
        for block in golden.read_text().split("\n\n"):
            title, _, *digits = block.splitlines()
            kind, version, _ = title.split()
            choice = int(version) - first | (0x80 if kind == "response" else 0)
            yield bytes([place, choice]) + bytes.fromhex("".join(digits))
        # The same way in as a client has: a header, without a name of the client's.
        yield bytes([place, 0]) + key.to_bytes(2) + first.to_bytes(2) + bytes(4) + b"\xff\xff"


def record_batches():
    """Batches as they are, and to be set right after they were changed."""
    for path in (TESTS / "RecordsTests" / "Golden").glob("*.hex"):
        yield from (bytes([mode]) + hex_bytes(path) for mode in (0, 1))


def codecs():
    """Packed bytes behind their codec's number, and a text to be packed by each."""
    numbers = {"gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
    for path in (TESTS / "CompressionTests" / "Golden").glob("*.hex"):
        yield bytes([numbers[re.match(r"[a-z0-9]+", path.name)[0]]]) + hex_bytes(path)
    yield from (bytes([number]) + b"a text, a text, a text" for number in range(5))


def text(value):
    return len(value).to_bytes(2) + value


def stored_forms():
    """What lies in files: behind the number of its form, and where a record's key ends."""
    for path in (TESTS / "CommitLogTests" / "Golden" / "Files").glob("*.store.hex"):
        stored = hex_bytes(path)
        yield bytes([0, 0]) + stored[96:]
        yield bytes([1, 0]) + stored[:96]
    topic = bytes(range(16))
    settings = (1).to_bytes(2) + text(b"retention.age") + text(b"1 h")
    yield bytes([2, 0, 1, 1]) + topic + text(b"orders") + (3).to_bytes(4) + settings
    yield bytes([2, 0, 1, 2]) + topic + settings
    yield bytes([2, 0, 1, 3]) + topic
    yield bytes([2, 0, 1, 4]) + topic + (6).to_bytes(4)
    yield bytes([2, 0, 1, 5]) + (1000).to_bytes(8)
    group = b"\x01\x01" + text(b"gr")
    member = (text(b"m-1") + b"\xff\xff" + text(b"c") + text(b"h") + bytes(6) + b"\x00\x09"
              + (1).to_bytes(2) + text(b"range") + (2).to_bytes(4) + b"ab" + bytes(4))
    value = (b"\x01" + (3).to_bytes(4) + bytes(8) + text(b"consumer") + text(b"range")
             + text(b"m-1") + (1).to_bytes(4) + member)
    yield bytes([3, len(group)]) + group + value
    offset = b"\x01\x02" + text(b"gr") + text(b"to") + bytes(4)
    value = b"\x01" + topic + (9).to_bytes(8) + b"\xff" * 4 + bytes(8) + b"\xff" * 8 + text(b"")
    yield bytes([3, len(offset)]) + offset + value
    yield bytes([4, 0, 0, 1]) + (1).to_bytes(4) + text(b"orders") + b"\xff" * 4
    yield bytes([5, 0, 0, 1]) + (1).to_bytes(4) + text(b"orders") + (2).to_bytes(4) + bytes(8)


def serf_messages():
    """Each capture behind the number of what it is, and what is inside of it too."""
    golden = TESTS / "SerfWireTests" / "Golden" / "serf-vectors.json"
    for vector in json.loads(golden.read_text())["vectors"]:
        captured = bytes.fromhex(vector["hex"])
        if vector["transport"] == "udp":
            yield bytes([0]) + captured
            if captured[0] == 12:  # Without its checksum, which no change gets past.
                yield bytes([0]) + captured[5:]
            inner = captured[5:] if captured[0] == 12 else captured
            if inner[0] == 8:
                yield bytes([2]) + inner[1:]
        elif vector["transport"] == "tcp":
            yield from (bytes([number]) + captured for number in (1, 6))
        elif vector["transport"] == "lzw":
            yield bytes([4]) + captured
        payload = vector["decoded"].get("fields", {}).get("Payload")
        if vector["name"].startswith("ack") and payload:
            yield bytes([5]) + bytes.fromhex(payload.removeprefix("hex:"))
    yield bytes([3]) + bytes.fromhex("ff82a4726f6c65a26462a176a132")
    yield bytes([3]) + b"web"


TARGETS = {"KafkaMessages": kafka_messages, "RecordBatches": record_batches,
           "Codecs": codecs, "StoredForms": stored_forms,
           "SerfMessages": serf_messages}


def main(folder):
    for target, seeds in TARGETS.items():
        place = pathlib.Path(folder) / target
        place.mkdir(parents=True, exist_ok=True)
        for seed in seeds():
            (place / hashlib.sha1(seed).hexdigest()).write_bytes(seed)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
