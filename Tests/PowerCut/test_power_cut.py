# SPDX-License-Identifier: Apache-2.0
"""The power is cut again and again under load, and nothing that was acknowledged is lost."""

import os
import pathlib
import signal
import time

from clients import Client
from disks import LOGFLUSH, NOLOGFLUSH
from server import eventually
from workload import Ledger, Load

CUTS = int(os.environ.get("CUTS", "20"))
TOPIC = "cut"
PLACES = [(TOPIC, 0), (TOPIC, 1)]


def cut(disk, server, chance, load=None):
    """Cuts the power in one of the ways in which a machine stops; says which."""
    flag = chance.choice([NOLOGFLUSH, NOLOGFLUSH, LOGFLUSH])
    way = chance.choice(["stopped, cut", "stopped, cut", "killed, cut", "cut, killed"])
    if way == "stopped, cut":
        # Like a machine: in the midst of its system calls, and not a step further.
        stop(server)
        disk.cut(flag)
        server.crash()
    elif way == "killed, cut":
        # The system calls under way come to their end, and nothing else does.
        server.crash()
        disk.cut(flag)
    else:
        # The server lives on for a moment and sees its disk go.
        if load is not None:
            load.end_of_power()
        disk.cut(flag)
        time.sleep(chance.random() * 0.1)
        server.crash()
    return f"{way} with flag {flag}"


def stop(server):
    """Returns when no thread of the server runs, other than in a system call that waits for the
    disk."""
    server.process.send_signal(signal.SIGSTOP)
    tasks = pathlib.Path(f"/proc/{server.process.pid}/task")

    def states():
        return {(task / "stat").read_text().rsplit(")", 1)[1].split()[0] for task in tasks.iterdir()}

    eventually(lambda: states() <= {"T", "D"}, 10, "the stop of all threads")


def test_nothing_acknowledged_is_lost_by_power_cuts(disk, make_server, chance):
    server = make_server(disk)
    # Small segments, so that cuts also hit rolls.
    Client(server.channel()).create(TOPIC, partitions=len(PLACES), segment_bytes=1 << 20)
    ledger = Ledger()
    for life in range(CUTS):
        load = Load(server, life, PLACES, new_topics=life % 3 == 0)
        eventually(lambda: load.count() > 20 or not server.is_running(), 20, "load")
        time.sleep(chance.random() * 0.7)
        assert server.is_running(), server.log()
        how = cut(disk, server, chance, load)
        load.join()
        disk.remount()
        if chance.random() < 0.3:
            # The first start after a cut is cut as well.
            server.start()
            how += ", and again: " + cut(disk, server, chance)
            disk.remount()
        server.start()
        print(f"life {life}: {load.count()} acknowledged, {how}")
        ledger.check(Client(server.channel()), load)
    ledger.check_all(Client(server.channel()))
    segments = list((disk.path / "data").rglob("*.store"))
    assert len(segments) > len(ledger.content) + 2, "no cut came near a roll"
    assert server.stop() == 0


def test_the_cut_is_real(disk, make_server):
    """What nobody synced is gone: a topic that trusts the page cache loses what it acknowledged,
    and one beside it that syncs does not."""
    server = make_server(disk)
    client = Client(server.channel())
    client.create("synced")
    client.create("trusting", durability="os")
    for topic in ["synced", "trusting"]:
        for number in range(100):
            client.produce(topic, [b"%d" % number])
    disk.cut()
    server.kill()
    disk.remount()
    server.start()
    client = Client(server.channel())
    assert [value for _, value in client.read("synced")] == [b"%d" % n for n in range(100)]
    lost = 100 - len(client.read("trusting"))
    print(f"{lost} of 100 acknowledged records lost with durability=os")
    assert lost > 0, "the power cut lost nothing: it is no power cut"
    assert server.stop() == 0
