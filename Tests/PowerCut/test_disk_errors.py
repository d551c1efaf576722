# SPDX-License-Identifier: Apache-2.0
"""A device that fails, and one that stands still.

An ext4 whose device failed once forgets it: the sync after the failed one succeeds, the page cache
goes on showing bytes that are on no disk, and they are gone when it is emptied. So a log must not
sync again after a failure, and must not take at its next start what it reads for what is stored.
"""

import os
import threading
import time

import grpc
import pytest

from clients import Client, topics
from server import eventually
from workload import Ledger, Load

TOPIC = "failing"
PLACES = [(TOPIC, 0), (TOPIC, 1)]
DEVICE_ROUNDS = int(os.environ.get("DEVICE_ROUNDS", "3"))


def states(client, topic=TOPIC):
    answer = client.topics.DescribeTopic(topics.DescribeTopicRequest(name=topic), timeout=20)
    return [partition.state for partition in answer.partitions]


def is_refused(client, partition=0):
    try:
        client.produce(TOPIC, [b"refused"], partition, timeout=20)
        return False
    except grpc.RpcError:
        return True


def sync_again(descriptor, path, content):
    os.fsync(descriptor)


def write_again(descriptor, path, content):
    os.pwrite(descriptor, content, 0)
    os.fsync(descriptor)


def drop_and_write(descriptor, path, content):
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    write_again(descriptor, path, content)


def copy(descriptor, path, content):
    other = path.with_name("copy")
    with open(other, "wb") as file:
        file.write(content)
        os.fsync(file.fileno())
    other.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


@pytest.mark.parametrize(
    "repair, is_kept", [(sync_again, False), (write_again, False), (drop_and_write, True),
                        (copy, True)], ids=lambda value: getattr(value, "__name__", str(value)))
def test_ext4_forgets_a_failed_sync(faulty_disk, repair, is_kept):
    """The premise of what follows, so that nobody need believe it: what a failed sync left in the
    page cache is not even brought to the disk by writing the same bytes in place."""
    path = faulty_disk.path / "file"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        os.write(descriptor, b"a" * 4096)
        os.fsync(descriptor)
        faulty_disk.fail()
        os.pwrite(descriptor, b"b" * 16384, 4096)
        with pytest.raises(OSError):
            os.fsync(descriptor)
        faulty_disk.heal()
        content = os.pread(descriptor, 20480, 0)
        assert content == b"a" * 4096 + b"b" * 16384, "the page cache shows what was written"
        repair(descriptor, path, content)
    finally:
        os.close(descriptor)
    faulty_disk.cut()
    faulty_disk.remount()
    assert (path.read_bytes() == content) == is_kept


@pytest.mark.parametrize("is_same_page_cache", [False, True], ids=["power-cut", "process-end"])
def test_the_first_failed_sync_is_the_last(faulty_disk, make_server, chance, is_same_page_cache):
    """After a failed sync nothing is acknowledged any more, not even once the device is well again;
    a restart has all that was acknowledged, and what it shows outlasts a power cut."""
    server = make_server(faulty_disk)
    client = Client(server.channel())
    client.create(TOPIC, partitions=len(PLACES), segment_bytes=1 << 20)
    ledger = Ledger()
    for life in range(DEVICE_ROUNDS):
        load = Load(server, life, PLACES)
        eventually(lambda: load.count() > 20, 20, "load")
        time.sleep(chance.random() * 0.5)
        faulty_disk.fail()
        eventually(lambda: not server.is_running() or "failed" in states(client), 20,
                   "a failed partition")
        check_failed(server, client)
        faulty_disk.heal()
        # The device is well, and a sync would succeed: it must not be believed.
        check_failed(server, client)
        server.crash()
        load.join()
        if not is_same_page_cache:
            faulty_disk.cut()
            faulty_disk.remount()
        server.start()
        client = Client(server.channel())
        ledger.check(client, load)
        # What it shows and acknowledges now it must have made sure of.
        last = b"last of %d" % life
        offsets = [client.produce(TOPIC, [last], number).base_offset for _, number in PLACES]
        faulty_disk.cut()
        server.kill()
        faulty_disk.remount()
        server.start()
        client = Client(server.channel())
        assert states(client) == ["online"] * len(PLACES), server.log()
        for (_, number), offset in zip(PLACES, offsets):
            assert client.read(TOPIC, offset, number) == [(offset, last)]
        ledger.check_all(client)
        print(f"life {life}: {load.count()} acknowledged")
    assert server.stop() == 0


def check_failed(server, client):
    """A server with a failed store is gone, or its failed partitions take nothing."""
    if not server.is_running():
        assert server.process.returncode != 0, "a failed store is no success"
        return
    try:
        failed = [number for number, state in enumerate(states(client)) if state == "failed"]
    except grpc.RpcError:
        eventually(lambda: not server.is_running(), 10, "the end of the server")
        return
    assert failed
    for partition in failed:
        assert is_refused(client, partition), f"partition {partition} failed and acknowledges"


def settled(load):
    """The number of records acknowledged, once clients have what was answered before a stall."""
    quiet_since, count = time.monotonic(), load.count()
    deadline = quiet_since + 20
    while time.monotonic() < quiet_since + 0.5:
        assert time.monotonic() < deadline, "a device that stands still goes on acknowledging"
        time.sleep(0.02)
        if load.count() != count:
            quiet_since, count = time.monotonic(), load.count()
    return count


def test_acknowledgements_wait_for_a_device_that_stands_still(faulty_disk, make_server):
    """A stall delays acknowledgements and loses none; what is cut off in one was not acknowledged."""
    server = make_server(faulty_disk)
    client = Client(server.channel())
    client.create(TOPIC, partitions=len(PLACES), segment_bytes=1 << 20)
    load = Load(server, 0, PLACES)
    eventually(lambda: load.count() > 100, 20, "load")
    for _ in range(DEVICE_ROUNDS):
        faulty_disk.pause()
        before = settled(load)
        time.sleep(1)
        during = load.count() - before
        assert during == 0, f"{during} records were acknowledged by a device that stood still"
        assert server.is_running(), server.log()
        faulty_disk.resume()
        eventually(lambda: load.count() > before + 100, 20, "load after the stall")
    assert not load.failures, "a stall is no failure"
    # The last stall ends in a power cut: requests that wait are not carried out.
    faulty_disk.pause()
    before = settled(load)
    load.end_of_power()
    cut = threading.Thread(target=faulty_disk.cut)
    cut.start()
    server.process.kill()
    faulty_disk.resume()
    cut.join()
    server.kill()
    load.join()
    assert load.count() == before
    faulty_disk.remount()
    server.start()
    client = Client(server.channel())
    ledger = Ledger()
    ledger.check(client, load)
    ledger.check_all(client)
    print(f"{load.count()} acknowledged")
    assert server.stop() == 0
