# SPDX-License-Identifier: Apache-2.0
"""Members of consumer groups as processes, and what must hold of them together."""

import collections
import itertools
import json
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time

from server import eventually

PROGRAM = pathlib.Path(__file__).with_name("kafka_member.py")


class Member:
    """A process that consumes as a member of a group, and what it has said so far."""

    def __init__(self, command, parse):
        self.events = []
        self.killed = None
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *command], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True)
        self.reader = threading.Thread(target=self._read, args=(parse,), daemon=True)
        self.reader.start()

    def _read(self, parse):
        for line in self.process.stdout:
            self.events.append(parse(line) or {
                "event": "said", "text": line.rstrip(), "time": time.monotonic()})

    def of(self, *kinds):
        return [event for event in list(self.events) if event["event"] in kinds]

    def partitions(self):
        """What it owns now, by its own account."""
        owned = set()
        for event in self.of("assigned", "revoked", "lost"):
            if event["event"] == "assigned":
                owned |= set(event["partitions"])
            else:
                owned -= set(event["partitions"])
        return owned

    def values(self):
        return [event["value"] for event in self.of("record")]

    def ownerships(self):
        """Partition, from when, until when. Not all clients say what they give up by leaving."""
        began = {}
        for event in self.of("assigned", "revoked", "lost", "leaving"):
            if event["event"] == "leaving":
                event = {**event, "partitions": list(began)}
            for partition in event["partitions"]:
                if event["event"] == "assigned":
                    began.setdefault(partition, event["time"])
                elif partition in began:
                    yield partition, began.pop(partition), event["time"]
        for partition, start in began.items():
            yield partition, start, self.killed or float("inf")

    def kill(self):
        """SIGKILL: the member is gone and nobody is told."""
        self.killed = time.monotonic()
        self.process.kill()
        self.process.wait()
        self.reader.join()

    def leave(self):
        """SIGTERM: the member leaves its group."""
        self.process.send_signal(signal.SIGTERM)
        self.wait()

    def wait(self, within=15):
        try:
            self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"a member did not leave:\n{self.text()}") from None
        self.killed = self.killed or time.monotonic()
        self.reader.join()

    def text(self):
        return "\n".join(map(str, self.events[-40:]))


def start_member(server, client, group, topic, **options):
    arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    if client == "kcat":
        return start_kcat(server, group, topic, options.get("assignor", "range"))

    def parse(line):
        return json.loads(line) if line.startswith("{") else None

    return Member([sys.executable, str(PROGRAM), client, server.kafka, group, topic, *arguments],
                  parse)


def start_kcat(server, group, topic, assignor):
    """kcat tells of its partitions in words."""

    def parse(line):
        now = time.monotonic()
        if line.startswith("record "):
            _, partition, offset, value = line.split()
            return {"event": "record", "partition": int(partition), "offset": int(offset),
                    "value": value, "time": now}
        match = re.search(r"rebalanced.*(assigned|revoked):(.*)", line)
        if match is None:
            return None
        return {"event": match.group(1), "time": now,
                "partitions": [int(number) for number in re.findall(r"\[(\d+)\]", match.group(2))]}

    return Member(
        ["kcat", "-b", server.kafka, "-G", group, "-u", "-f", "record %p %o %s\n",
         "-X", f"partition.assignment.strategy={assignor}", "-X", "session.timeout.ms=6000",
         "-X", "heartbeat.interval.ms=300", "-X", "auto.offset.reset=earliest",
         "-X", "auto.commit.interval.ms=200", "-X", "fetch.wait.max.ms=50", topic], parse)


def settle(members, partitions, within=30):
    """Waits until the members own all partitions between them, each about as many."""

    def is_settled():
        owned = [member.partitions() for member in members]
        return sorted(itertools.chain(*owned)) == list(range(partitions)) \
            and min(map(len, owned)) >= partitions // len(members)

    try:
        eventually(is_settled, within, "an owner for each partition")
    except AssertionError as error:
        raise AssertionError(f"{error}\n" + "\n\n".join(
            member.text() for member in members)) from None


def nobody_shared(members):
    """Whether at no time two members owned the same partition."""
    ownerships = collections.defaultdict(list)
    for member in members:
        for partition, start, end in member.ownerships():
            ownerships[partition].append((start, end))
    for partition, spans in ownerships.items():
        spans.sort()
        for (_, end), (start, _) in zip(spans, spans[1:]):
            assert end <= start, f"partition {partition} had two owners for {end - start} s"
    return True


def consumed(members):
    """How often each value was consumed."""
    return collections.Counter(value for member in members for value in member.values())
