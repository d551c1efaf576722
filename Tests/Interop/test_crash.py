# SPDX-License-Identifier: Apache-2.0
"""The server is killed again and again under load, and loses nothing that it acknowledged."""

import itertools
import os
import random
import threading
import time

import grpc

from clients import Client, book, logs, place, records
from server import eventually

CRASHES = int(os.environ.get("CRASHES", "50"))
SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(2**32)))
TOPIC = "crash"
BOOK = "default"


class Writers:
    """Writers of one life of the server: each value is sent once and never again."""

    def __init__(self, server, life):
        self.client = Client(server.channel())
        self.life = life
        self.acknowledged = {}  # (topic, partition) -> list of (offset, value) by writer's order
        self.guard = threading.Lock()
        self.stopped = threading.Event()
        jobs = [lambda: self.unary(0), lambda: self.unary(1), lambda: self.stream(0),
                lambda: self.stream(1), self.book_unary, self.book_stream]
        self.threads = [threading.Thread(target=self.guarded, args=(job,)) for job in jobs]
        self.names = itertools.count()
        for thread in self.threads:
            thread.start()

    def guarded(self, job):
        try:
            job()
        except grpc.RpcError:
            pass  # The server is gone; what was not answered was not acknowledged.

    def values(self):
        writer = next(self.names)
        for number in itertools.count():
            yield b"%d.%d.%08d " % (self.life, writer, number) + b"." * (number % 700)

    def done(self, topic, partition, offset, values):
        with self.guard:
            log = self.acknowledged.setdefault((topic, partition), [])
            log += [(offset + index, value) for index, value in enumerate(values)]

    def count(self):
        with self.guard:
            return sum(map(len, self.acknowledged.values()))

    def unary(self, partition):
        values = self.values()
        while not self.stopped.is_set():
            batch = [next(values) for _ in range(5)]
            answer = self.client.produce(TOPIC, batch, partition, timeout=10)
            self.done(TOPIC, partition, answer.base_offset, batch)

    def stream(self, partition):
        self.pipelined(
            self.client.log.ProduceStream,
            lambda batch: logs.ProduceStreamRequest(
                partition=place(TOPIC, partition),
                records=[records.Record(value=value) for value in batch]),
            lambda answer: answer.base_offset, 10, TOPIC, partition)

    def book_unary(self):
        for value in self.values():
            if self.stopped.is_set():
                return
            request = book.ProduceRequest(record=book.Record(value=value))
            self.done(BOOK, 0, self.client.book.Produce(request, timeout=10).offset, [value])

    def book_stream(self):
        self.pipelined(
            self.client.book.ProduceStream,
            lambda batch: book.ProduceRequest(record=book.Record(value=batch[0])),
            lambda answer: answer.offset, 1, BOOK, 0)

    def pipelined(self, method, request, offset_of, size, topic, partition):
        sent, room = [], threading.Semaphore(64)
        values = self.values()

        def requests():
            while not self.stopped.is_set():
                # Ends with the test even if the server's death leaves the window full.
                if not room.acquire(timeout=1):
                    continue
                batch = [next(values) for _ in range(size)]
                sent.append(batch)
                yield request(batch)

        for number, answer in enumerate(method(requests(), timeout=60)):
            assert getattr(answer, "base_offset", 0) >= 0, answer
            self.done(topic, partition, offset_of(answer), sent[number])
            room.release()

    def join(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join(30)
            assert not thread.is_alive(), "a writer hangs after the server's death"


class Ledger:
    """What was acknowledged in all lives, and what was once read."""

    PLACES = [(TOPIC, 0), (TOPIC, 1), (BOOK, 0)]

    def __init__(self):
        self.content = {where: [] for where in self.PLACES}
        self.seen = {where: set() for where in self.PLACES}

    def check_news(self, client, acknowledged):
        """Reads what came since the last check, and holds it to what was acknowledged."""
        for where in self.PLACES:
            known = self.content[where]
            news = client.read(where[0], len(known), where[1])
            assert [offset for offset, _ in news] == list(
                range(len(known), len(known) + len(news))), f"{where}: offsets have holes"
            for offset, value in news:
                assert value not in self.seen[where], f"{where}: {value[:20]} is there twice"
                self.seen[where].add(value)
                known.append(value)
            for offset, value in acknowledged.get(where, []):
                assert offset < len(known), f"{where}: acknowledged offset {offset} is gone"
                assert known[offset] == value, (
                    f"{where}: offset {offset} was acknowledged as {value[:20]} and holds"
                    f" {known[offset][:20]}")
            self.check_order(where, news)

    def check_order(self, where, news):
        last = {}
        for _, value in news:
            life, writer, number = value.split(b" ")[0].split(b".")
            assert last.get((life, writer), -1) < int(number), f"{where}: {value[:20]} out of order"
            last[life, writer] = int(number)

    def check_all(self, client):
        """Nothing that was ever read has changed."""
        for where in self.PLACES:
            values = [value for _, value in client.read(where[0], 0, where[1])]
            assert values == self.content[where], f"{where}: what was read before has changed"


def test_nothing_acknowledged_is_lost_by_a_killed_server(make_server):
    print(f"SEED={SEED} CRASHES={CRASHES}")
    chance = random.Random(SEED)
    server = make_server(name="crash")
    # Small segments, so that kills also hit rolls. Durability is fsync, the default.
    Client(server.channel()).create(TOPIC, partitions=2, segment_bytes=1 << 20)
    ledger = Ledger()
    for life in range(CRASHES):
        writers = Writers(server, life)
        eventually(lambda: writers.count() > 20 or not server.is_running(), 20, "load")
        time.sleep(chance.random() * 0.4)
        assert server.is_running(), server.log()
        server.crash()
        writers.join()
        server.close_channels()
        server.start()
        ledger.check_news(Client(server.channel()), writers.acknowledged)
    ledger.check_all(Client(server.channel()))
    assert sum(map(len, ledger.content.values())) > 50 * CRASHES
    assert server.stop() == 0
