# SPDX-License-Identifier: Apache-2.0
"""Producers and a reader of one life of the server, and the ledger of all lives."""

import itertools
import threading

import confluent_kafka
import grpc

from clients import Client, logs, place, records

BATCH = 10


class Load:
    """Writes to every partition until the server is gone. Each value is sent once."""

    def __init__(self, server, life, places, new_topics=False):
        self.server = server
        self.client = Client(server.channel())
        self.life = life
        self.guard = threading.Lock()
        self.stopped = threading.Event()
        self.acknowledged = {}  # (topic, partition) -> list of (offset, value)
        self.shown = {}  # the same, of what consumers were given
        self.has_power = True
        self.late = {}  # what was told without power
        self.topics = []  # names of topics whose creation was answered
        self.failures = []  # what clients were refused with
        self.mistakes = []  # what the clients themselves did wrong
        self.names = itertools.count()
        jobs = []
        for where in places:
            jobs += [(self.stream, where), (self.unary, where)]
        jobs += [(self.kafka, places[0]), (self.read, places[0])]
        if new_topics:
            jobs.append((self.create, None))
        self.threads = [threading.Thread(target=self.guarded, args=job) for job in jobs]
        for thread in self.threads:
            thread.start()

    def guarded(self, job, where):
        try:
            job(where)
        except grpc.RpcError as error:
            # What was not answered was not acknowledged.
            with self.guard:
                self.failures.append(error.details())
        except Exception as error:
            with self.guard:
                self.mistakes.append(error)

    def values(self):
        writer = next(self.names)
        for number in itertools.count():
            yield b"%d.%d.%08d " % (self.life, writer, number) + b"." * (number % 900)

    def end_of_power(self):
        """A machine without power answers nobody: what is told from now on does not count.

        Called right before the disk is shut down under a server that runs on. Now and then ext4
        tells a process then that a sync succeeded whose transaction the shutdown threw away.
        """
        with self.guard:
            self.has_power = False

    def done(self, where, offset, values):
        self.tell(self.acknowledged, where, [
            (offset + index, value) for index, value in enumerate(values)])

    def tell(self, ledger, where, told):
        with self.guard:
            (ledger if self.has_power else self.late).setdefault(where, []).extend(told)

    def count(self):
        with self.guard:
            return sum(map(len, self.acknowledged.values()))

    def unary(self, where):
        values = self.values()
        while not self.stopped.is_set():
            batch = [next(values) for _ in range(BATCH // 2)]
            answer = self.client.produce(where[0], batch, where[1], timeout=20)
            self.done(where, answer.base_offset, batch)

    def stream(self, where):
        values, sent, room = self.values(), [], threading.Semaphore(32)

        def requests():
            while not self.stopped.is_set():
                # Ends with the test even if the server's death leaves the window full.
                if not room.acquire(timeout=0.5):
                    continue
                sent.append([next(values) for _ in range(BATCH)])
                yield logs.ProduceStreamRequest(
                    partition=place(*where),
                    records=[records.Record(value=value) for value in sent[-1]])

        for number, answer in enumerate(self.client.log.ProduceStream(requests(), timeout=60)):
            room.release()
            if answer.HasField("error"):
                with self.guard:
                    self.failures.append(answer.error.message)
            else:
                self.done(where, answer.base_offset, sent[number])

    def kafka(self, where):
        """An idempotent producer of another kind."""
        def delivered(error, message):
            if error is None:
                self.done(where, message.offset(), [message.value()])

        producer = confluent_kafka.Producer({
            "bootstrap.servers": self.server.kafka, "enable.idempotence": True, "linger.ms": 2,
            "message.timeout.ms": 20000, "log_level": 0})
        for value in self.values():
            if self.stopped.is_set():
                break
            while not self.stopped.is_set():
                try:
                    producer.produce(
                        where[0], value=value, partition=where[1], on_delivery=delivered)
                    break
                except BufferError:
                    producer.poll(0.01)
            producer.poll(0)
        # Answers that are here count; for those that are not nobody waits.
        producer.poll(0)
        producer.purge()

    def create(self, _):
        for number in range(30):
            if self.stopped.is_set():
                return
            name = f"life-{self.life}-{number}"
            self.client.create(name)
            with self.guard:
                if not self.has_power:
                    return
                self.topics.append(name)
            value = b"first of %s" % name.encode()
            self.done((name, 0), self.client.produce(name, [value]).base_offset, [value])

    def read(self, where):
        start = self.client.end(*where)
        for message in self.client.consume(where[0], start, where[1], timeout=60, follow=True):
            self.tell(self.shown, where, [
                (record.offset, record.value) for record in message.records])

    def join(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join(30)
            assert not thread.is_alive(), "a client hangs after the server's death"
        assert not self.mistakes, self.mistakes
        self.server.close_channels()


class Ledger:
    """What the log was seen to hold, life by life."""

    def __init__(self):
        self.content = {}
        self.topics = set()

    def check(self, client, load):
        """Reads what came since the last check, and holds it to what this life was told."""
        self.topics.update(load.topics)
        there = {topic.name for topic in client.topics.ListTopics(
            _list_request(), timeout=20).topics}
        assert self.topics <= there, f"topics are gone: {self.topics - there}"
        for where in sorted({*load.acknowledged, *load.shown, *self.content}):
            known = self.content.setdefault(where, [])
            news = client.read(where[0], len(known), where[1])
            assert [offset for offset, _ in news] == list(
                range(len(known), len(known) + len(news))), f"{where}: offsets have holes"
            self.check_order(where, news)
            known += [value for _, value in news]
            for what, told in [("acknowledged", load.acknowledged), ("shown", load.shown)]:
                for offset, value in told.get(where, []):
                    assert offset < len(known), (
                        f"{where}: offset {offset} was {what} and is gone; the log ends at"
                        f" {len(known)}")
                    assert known[offset] == value, (
                        f"{where}: offset {offset} was {what} as {value[:20]} and holds"
                        f" {known[offset][:20]}")

    def check_order(self, where, news):
        """Each writer's values are in its order, and none is there twice."""
        last = {}
        for _, value in news:
            name = value.split(b" ")[0].split(b".")
            if len(name) != 3:
                continue
            life, writer, number = name
            assert last.get((life, writer), -1) < int(number), f"{where}: {value[:20]} out of order"
            last[life, writer] = int(number)

    def check_all(self, client):
        """Nothing that was ever read has changed."""
        for where, known in self.content.items():
            values = [value for _, value in client.read(where[0], 0, where[1])]
            assert values[:len(known)] == known, f"{where}: what was read before has changed"


def _list_request():
    from clients import topics
    return topics.ListTopicsRequest()
