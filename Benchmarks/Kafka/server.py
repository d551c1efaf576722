# SPDX-License-Identifier: Apache-2.0
"""A `cordwood serve` to be measured, and what the kernel says of its process."""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time


class Server:
    """A server on a directory of its own, which is gone with it."""

    def __init__(self, program, parent, settings=()):
        self.program = str(pathlib.Path(program).resolve())
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="cordwood-bench-", dir=parent))
        self.settings = dict(settings)
        self.process = None

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(self, *_):
        self._remove()

    def _start(self):
        self.kafka = f"127.0.0.1:{free_port()}"
        self.grpc = f"127.0.0.1:{free_port()}"
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.startswith("CORDWOOD_")}
        settings = {"data_dir": self.directory / "data", "listen.grpc.address": self.grpc,
                    "listen.kafka.address": self.kafka, "gossip.bind": "none",
                    "log.level": "warning", **self.settings}
        for name, value in settings.items():
            self.environment["CORDWOOD_" + name.upper().replace(".", "_")] = str(value)
        self.environment["CORDWOOD_SERVER"] = self.grpc
        with open(self.directory / "server.log", "wb") as log:
            # The server ends with this program, however that ends.
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", self.program, "serve"], stdout=log,
                stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=self.environment)
        deadline = time.monotonic() + 30
        while not (listens(self.kafka) and listens(self.grpc)):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"the server did not start:\n{self.log()}")
            time.sleep(0.02)

    def _remove(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def log(self):
        return (self.directory / "server.log").read_text(errors="replace")

    def command(self, *arguments):
        """Runs the command line against the server."""
        result = subprocess.run(
            [self.program, *map(str, arguments)], env=self.environment, capture_output=True,
            text=True, timeout=60)
        if result.returncode != 0:
            raise SystemExit(f"cordwood {' '.join(map(str, arguments))}:\n{result.stderr}")
        return result.stdout

    def create(self, topic, durability):
        self.command("topic", "create", topic, "--partitions", 1,
                     "--set", f"durability={durability}")

    def delete(self, topic):
        self.command("topic", "delete", topic, "--yes")

    def cpu_seconds(self):
        """Time on a processor so far, of all threads, in steps of a clock tick (10 ms)."""
        text = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        fields = text.rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_mib(self):
        """Memory that is resident and no mapped file."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"RssAnon:\s+(\d+) kB", text).group(1)) / 1024


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def listens(address):
    host, port = address.rsplit(":", 1)
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
        return True
    except OSError:
        return False
