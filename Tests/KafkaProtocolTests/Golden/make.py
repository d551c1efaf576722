# SPDX-License-Identifier: Apache-2.0
"""Writes the golden messages with kafka-python; kio has to read the same bytes and write them again.

    pip install kafka-python==3.0.12 kio==0.6.5
    python3 make.py

Of each message and version there are two: one in which every field has a value of its own, and one
in which as much as can be is null or empty.
"""

import importlib
import io
import pathlib
import pkgutil
import random
import re
import textwrap
import uuid

import kafka.protocol
import kafka.protocol.schemas
import kio.index
import kio.serial

HERE = pathlib.Path(__file__).parent
SCHEMAS = HERE.parents[2] / "schemas" / "kafka"
WORDS = ["orders", "a", "b.c", "größe", "group-7", "x" * 40, "日本"]


def message_classes():
    """All messages that kafka-python knows, by name."""
    found = {}
    for module in pkgutil.walk_packages(kafka.protocol.__path__, "kafka.protocol."):
        if any(part in module.name for part in (".old", "generate_stubs", ".schemas")):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            if re.fullmatch(r"\w+(Request|Response)", name) and hasattr(value, "json"):
                found[name] = value
    return found


def holds(versions, version):
    """Whether a range such as 4+, 4-7 or none has a version."""
    found = re.fullmatch(r"(\d+)(\+|-(\d+))?", versions or "none")
    if not found:
        return False
    first, rest, last = found.groups()
    return int(first) <= version and (rest == "+" or version <= int(last or first))


def lower(name):
    return name[0].lower() + name[1:]


class Maker:
    """Makes values of a message's fields, for kafka-python and as text."""

    def __init__(self, message, version, is_full):
        self.version, self.is_full = version, is_full
        self.chance = random.Random(f"{message.__name__} {version}")

    def number(self, bits, name):
        """A number that no field has by default; now and then one that fills all bits.

        kio takes only known errors, and makes dates and spans of times.
        """
        if name.endswith("ErrorCode"):
            return self.chance.randrange(1, 100)
        if re.search("Ms$|[Tt]imestamp", name):
            return self.chance.randrange(1, 2 ** min(bits - 1, 40))
        if self.chance.random() < 0.2:
            return self.chance.choice([2 ** (bits - 1) - 1, -2 ** (bits - 1)])
        return self.chance.randrange(1, 2 ** min(bits - 1, self.chance.choice([7, 15, 30])))

    def simple(self, kind, name):
        """A value, and its text."""
        if kind == "bool":
            value = self.is_full
            return value, str(value).lower()
        if kind.startswith("int"):
            value = self.number(int(kind[3:]), name) if self.is_full else 0
            return value, str(value)
        if kind == "bitfield":  # an int32, which kafka-python takes as the numbers of its bits
            bits = set(self.chance.sample(range(30), 3)) if self.is_full else set()
            return bits, str(sum(1 << bit for bit in bits))
        if kind == "string":
            value = self.chance.choice(WORDS) if self.is_full else ""
            return value, f'"{value}"'
        if kind in ("bytes", "records"):
            value = self.chance.randbytes(self.chance.randrange(1, 40)) if self.is_full else b""
            return value, f"'{value.hex()}'"
        assert kind == "uuid", kind
        value = uuid.UUID(int=self.chance.getrandbits(128) if self.is_full else 0)
        return value, value.hex

    def one(self, field, kind, owner):
        """A value that is no array, and its text."""
        if "fields" in field:
            return self.struct(field["fields"], getattr(owner, kind))
        return self.simple(kind, field["name"])

    def default(self, field):
        """The text of what stands where a field is missing."""
        default, kind = field.get("default"), field["type"]
        if default == "null" or kind == "records":
            return "null"
        if kind.startswith("[]"):
            return "[]"
        if kind == "string":
            return f'"{default or ""}"'
        if kind == "bool":
            return str(default or "false").lower()
        if kind == "bytes":
            return "''"
        if kind == "uuid":
            return "0" * 32
        if kind.startswith("int"):
            return str(int(str(default or 0), 0))
        return "{}"

    def struct(self, fields, data_class):
        """A structure of kafka-python, and the text of fields that do not have their defaults."""
        values, texts = {}, []
        # Its own names and types of some fields are not the protocol's, but their order is.
        for field, own in zip(fields, data_class._struct._fields, strict=True):
            if not holds(field["versions"], self.version):
                continue
            if holds(field.get("taggedVersions"), self.version) and not self.is_full:
                continue
            kind = field["type"]
            if not self.is_full and holds(field.get("nullableVersions"), self.version):
                value, text = None, "null"
            elif kind.startswith("[]"):
                count = self.chance.randrange(1, 3) if self.is_full else 0
                items = [self.one(field, kind[2:], data_class) for _ in range(count)]
                value, text = [item[0] for item in items], f"[{', '.join(i[1] for i in items)}]"
            else:
                value, text = self.one(field, bits_or(kind, own), data_class)
            values[own.name] = value
            if text != self.default(field):
                texts.append(f"{lower(field['name'])}: {text}")
        return data_class(version=self.version, **values), "{" + ", ".join(texts) + "}"


def bits_or(kind, own):
    """The type of a field: kafka-python takes some numbers as sets of bits."""
    return "bitfield" if own._json["type"] == "bitfield" else kind


def check_with_kio(key, version, kind, encoded):
    """Has kio read the bytes to their end and write them again; it knows no Produce below 3."""
    if key == 0 and version < 3:
        return
    load = getattr(kio.index, f"load_{kind}_schema")
    schema = load(key, version)
    value, size = kio.serial.entity_reader(schema)(encoded, 0)
    again = io.BytesIO()
    kio.serial.entity_writer(schema)(again, value)
    assert size == len(encoded) and again.getvalue() == encoded, (key, version, kind)


def main():
    classes = message_classes()
    for path in sorted(SCHEMAS.glob("*.txt")):
        text = path.read_text()
        api, key = re.search(r"^api (\w+) (\d+)$", text, re.M).groups()
        first, _, last = re.search(r"^versions ([\d-]+)$", text, re.M)[1].partition("-")
        blocks = []
        for kind in ("request", "response"):
            message = classes[api + kind.capitalize()]
            fields = kafka.protocol.schemas.load_json(message.__name__)["fields"]
            for version in range(int(first), int(last or first) + 1):
                for is_full in (True, False):
                    maker = Maker(message, version, is_full)
                    value, shown = maker.struct(fields, message)
                    encoded = bytes(value.encode(version=version))
                    check_with_kio(int(key), version, kind, encoded)
                    lines = textwrap.wrap(encoded.hex(), 96)
                    title = f"{kind} {version} {'full' if is_full else 'least'}"
                    blocks.append("\n".join([title, shown, *lines]) + "\n")
        (HERE / f"{api}.txt").write_text("\n".join(blocks))
        print(api, len(blocks))


main()
