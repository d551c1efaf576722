# SPDX-License-Identifier: Apache-2.0
"""Reads the definitions of Kafka's messages in schemas/kafka.

A file defines one kind of request and its response:

    api Metadata 3              its name and its key
    versions 0-13               those that are served
    flexible 9+                 from this version on compact lengths and tagged fields; or none

    request
        topics: []Topic all, null 1+
            name: string all
        wait: int32 4+ = 100
        cluster: string 12+, null 12+, tag 0 12+ = null

    response
        …

A field has a name, a type, the versions that carry it (`all`, `4+`, `4-7` or `4`), those in which it
may be null, its tag and since when it is tagged, and what stands for it where it is missing. The
fields of a structure stand below it, further in.
"""

import dataclasses
import pathlib
import re

FIELD = re.compile(
    r"(?P<name>\w+): (?P<array>\[\])?(?P<type>\w+) (?P<versions>[\w+-]+)"
    r"(?:, null (?P<null>[\w+-]+))?(?:, tag (?P<tag>\d+) (?P<tagged>[\w+-]+))?"
    r"(?: = (?P<default>\S+))?")


# What a field can be that is no structure; structures' names begin with a capital letter.
TYPES = {"bool", "int8", "int16", "int32", "int64", "string", "uuid", "bytes", "records", "error"}


class DefinitionError(Exception):
    """A definition that cannot be used; the message says where."""


@dataclasses.dataclass(frozen=True)
class Versions:
    """A range of versions; `last` is the API's last where it is open."""
    first: int
    last: int

    @staticmethod
    def parse(text, whole=None):
        if text == "all":
            return whole
        found = re.fullmatch(r"(\d+)(?:(\+)|-(\d+))?", text)
        if not found:
            raise DefinitionError(f"{text} is no range of versions")
        first, is_open, last = found.groups()
        last = whole.last if is_open else int(last or first)
        return Versions(int(first), last)

    def covers(self, other):
        return self.first <= other.first and self.last >= other.last


@dataclasses.dataclass
class Field:
    """One field of a structure."""
    name: str
    type: str
    is_array: bool
    versions: Versions
    null: Versions | None
    tag: int | None
    tagged: Versions | None
    default: str | None
    fields: list = dataclasses.field(default_factory=list)

    @property
    def is_struct(self):
        return bool(self.fields)


@dataclasses.dataclass
class Api:
    """One kind of request, and its response."""
    name: str
    key: int
    about: str
    versions: Versions
    flexible: int | None
    request: list
    response: list


def parse_field(text, whole):
    found = FIELD.fullmatch(text)
    if not found:
        raise DefinitionError(f"not a field: {text}")
    part = found.groupdict()
    return Field(
        name=part["name"], type=part["type"], is_array=bool(part["array"]),
        versions=Versions.parse(part["versions"], whole),
        null=Versions.parse(part["null"], whole) if part["null"] else None,
        tag=int(part["tag"]) if part["tag"] else None,
        tagged=Versions.parse(part["tagged"], whole) if part["tagged"] else None,
        default=part["default"])


def check(fields, flexible):
    """Refuses structures that cannot be made."""
    tags = [field.tag for field in fields if field.tagged]
    if len(set(tags)) != len(tags):
        raise DefinitionError("two fields have the same tag")
    for field in fields:
        if not field.is_struct and field.type not in TYPES:
            raise DefinitionError(f"{field.name} is a {field.type}, which is no type and has no fields")
        if field.is_struct and field.type in TYPES:
            raise DefinitionError(f"{field.name} is a {field.type}, which has no fields")
        if field.tagged and (flexible is None or field.tagged.first < flexible):
            raise DefinitionError(f"{field.name} is tagged in a version that is not flexible")
        check(field.fields, flexible)


def parse(path):
    """The API that a file defines."""
    header, messages, about, levels = {}, {"request": [], "response": []}, [], []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        text = line.strip()
        try:
            if text.startswith("#"):
                about.append(text.lstrip("# "))
            elif text in messages:
                levels = [messages[text]]
            elif text and not levels:
                word, _, rest = text.partition(" ")
                header[word] = rest
                if word == "versions":
                    whole = Versions.parse(rest)
            elif text:
                depth = (len(line) - len(line.lstrip())) // 4
                if not 1 <= depth <= len(levels):
                    raise DefinitionError("the field stands too far in")
                field = parse_field(text, whole)
                levels = levels[:depth]
                levels[-1].append(field)
                levels.append(field.fields)
        except DefinitionError as error:
            raise DefinitionError(f"{path.name}:{number}: {error}") from None
    missing = {"api", "versions", "flexible"} - header.keys()
    if missing:
        raise DefinitionError(f"{path.name}: no line for {', '.join(sorted(missing))}")
    name, key = header["api"].split()
    flexible = None if header["flexible"] == "none" else Versions.parse(header["flexible"], whole)
    flexible = flexible.first if flexible else None
    try:
        check(messages["request"], flexible)
        check(messages["response"], flexible)
    except DefinitionError as error:
        raise DefinitionError(f"{path.name}: {error}") from None
    return Api(
        name=name, key=int(key), about=" ".join(about[1:]), versions=whole,
        flexible=flexible, request=messages["request"],
        response=messages["response"])


def load(folder):
    """All APIs, by key."""
    apis = sorted((parse(path) for path in pathlib.Path(folder).glob("*.txt")), key=lambda a: a.key)
    for before, after in zip(apis, apis[1:]):
        if before.key == after.key:
            raise DefinitionError(f"{before.name} and {after.name} have the same key")
    return apis
