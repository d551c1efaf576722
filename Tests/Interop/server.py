# SPDX-License-Identifier: Apache-2.0
"""A `cordwood serve` of the tests' own, and what they ask of its process."""

import os
import pathlib
import re
import signal
import subprocess
import time

import grpc

READY = re.compile(r"listening\b[^\n]*?\baddress\W+127\.0\.0\.1:([1-9]\d*)")
KAFKA_READY = re.compile(r"kafka\W+127\.0\.0\.1:([1-9]\d*)")
GOSSIP_READY = re.compile(r"listening\b[^\n]*?\bgossip\W+([\d.]+:[1-9]\d*)")


class Server:
    """One server process. Its directory outlives it, so that it can be started again."""

    def __init__(self, binary, directory, settings=None, descriptors=None):
        self.binary = binary
        self.directory = pathlib.Path(directory)
        self.data = self.directory / "data"
        self.settings = settings or {}
        self.descriptors = descriptors
        self.process = None
        self.address = None
        self.kafka = None
        self.gossip = None
        self.starts = 0
        self.channels = []

    def start(self, within=30):
        """Starts the server and waits until it says where it listens."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.starts += 1
        self.log_path = self.directory / f"server-{self.starts}.log"
        settings = {"data_dir": self.data, "listen.grpc.address": "127.0.0.1:0",
                    "listen.kafka.address": "127.0.0.1:0", "gossip.bind": "127.0.0.1:0",
                    **self.settings}
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [*self._wrapper(), self.binary, "serve"], stdout=log, stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL, env=environment(settings), cwd=self.directory)
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            match = READY.search(self.log())
            if match:
                self.address = f"127.0.0.1:{match.group(1)}"
                kafka = KAFKA_READY.search(self.log())
                self.kafka = kafka and f"127.0.0.1:{kafka.group(1)}"
                gossip = GOSSIP_READY.search(self.log())
                self.gossip = gossip and gossip.group(1)
                return self
            if self.process.poll() is not None:
                raise AssertionError(
                    f"the server ended with {self.process.returncode}:\n{self.log()}")
            time.sleep(0.005)
        self.kill()
        raise AssertionError(f"the server did not become ready:\n{self.log()}")

    def _wrapper(self):
        """Programs that become the server: it dies with the tests, however they end, and has the
        descriptors it is allowed. (Python cannot see to it: a fork harms gRPC's threads.)"""
        limits = ["prlimit", f"--nofile={self.descriptors}"] if self.descriptors else []
        return ["setpriv", "--pdeathsig", "KILL", *limits]

    def log(self):
        return self.log_path.read_text(errors="replace")

    def channel(self, **options):
        """A connection of its own, closed with the server."""
        arguments = [("grpc.use_local_subchannel_pool", 1),
                     ("grpc.max_receive_message_length", -1),
                     ("grpc.max_send_message_length", -1)]
        arguments += [(f"grpc.{name}", value) for name, value in options.items()]
        channel = grpc.insecure_channel(self.address, options=arguments)
        self.channels.append(channel)
        return channel

    def crash(self):
        """SIGKILL; clients find out by themselves."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def kill(self):
        """SIGKILL, also of a server that is gone already, and the end of its clients."""
        if self.process is not None:
            self.crash()
        self.close_channels()

    def stop(self, within=20):
        """SIGTERM; returns the exit status."""
        self.process.send_signal(signal.SIGTERM)
        status = self.wait(within)
        self.close_channels()
        return status

    def wait(self, within):
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"the server did not end in {within} s:\n{self.log()}") from None

    def close_channels(self):
        for channel in self.channels:
            channel.close()
        self.channels = []

    def is_running(self):
        return self.process.poll() is None

    def cpu_seconds(self):
        """Time on a processor so far, of all threads."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self):
        pages = pathlib.Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def descriptor_count(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


def environment(settings):
    """The environment of this process, with settings in place of its own."""
    variables = {name: value for name, value in os.environ.items()
                 if not name.startswith("CORDWOOD_")}
    for key, value in settings.items():
        variables["CORDWOOD_" + key.upper().replace(".", "_")] = str(value)
    return variables


def refusal_of(binary, settings, within=20):
    """What a server says that does not start."""
    result = subprocess.run(
        [binary, "serve"], capture_output=True, text=True, timeout=within,
        env=environment(settings))
    assert result.returncode != 0
    return result.stdout + result.stderr


def eventually(condition, within=10, what="the condition"):
    """Waits until a condition holds, and gives what it gave."""
    deadline = time.monotonic() + within
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < deadline, f"{what} did not come to hold in {within} s"
        time.sleep(0.01)
