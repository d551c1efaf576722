# SPDX-License-Identifier: Apache-2.0
"""The loads: kload, built when it is missing or older than its source; the disk; idle clients."""

import json
import os
import pathlib
import socket
import statistics
import struct
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
PROGRAM = HERE.parents[1] / ".build" / "kload"


def build():
    source = HERE / "kload.c"
    if PROGRAM.exists() and PROGRAM.stat().st_mtime >= source.stat().st_mtime:
        return
    PROGRAM.parent.mkdir(exist_ok=True)
    subprocess.run(
        ["cc", "-O2", "-Wall", "-Wextra", "-o", str(PROGRAM), str(source), "-lrdkafka", "-lm"],
        check=True)


def kload(mode, *arguments):
    """Runs kload once; gives what it measured."""
    result = subprocess.run(
        [str(PROGRAM), mode, *map(str, arguments)], capture_output=True, text=True, timeout=1800)
    if result.returncode != 0:
        raise SystemExit(f"kload {mode} {' '.join(map(str, arguments))}:\n{result.stderr}")
    return json.loads(result.stdout)


def client_limit(size, records):
    """Records a second that the client produces to a broker inside of its own process, which
    keeps nothing: no server makes it faster."""
    return kload("produce", "--size", size, "--records", records,
                 "-X", "test.mock.num.brokers=1", "-X", "log_level=0")["records_per_second"]


def sync_microseconds(parent, count=300):
    """The median of appending 4 KiB to a file and syncing it."""
    times, block = [], os.urandom(4096)
    with tempfile.TemporaryFile(dir=parent, buffering=0) as file:
        for _ in range(count):
            began = time.perf_counter()
            file.write(block)
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - began)
    return statistics.median(times) * 1e6


class IdleClients:
    """Connections that have said who they are and then nothing more."""

    # ApiVersions 0, client id "idle".
    HELLO = struct.pack(">hhih", 18, 0, 1, 4) + b"idle"

    def __init__(self, address, count):
        host, port = address.rsplit(":", 1)
        self.sockets = []
        try:
            for _ in range(count):
                connection = socket.create_connection((host, int(port)), timeout=10)
                self.sockets.append(connection)
                connection.sendall(struct.pack(">i", len(self.HELLO)) + self.HELLO)
                size, = struct.unpack(">i", receive(connection, 4))
                receive(connection, size)
        except BaseException:
            self.close()
            raise

    def are_connected(self):
        for connection in self.sockets:
            connection.setblocking(False)
            try:
                if connection.recv(1) == b"":
                    return False
            except BlockingIOError:
                pass
        return True

    def close(self):
        for connection in self.sockets:
            connection.close()


def receive(connection, count):
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise ConnectionError("the server closed a connection")
        data += part
    return data
