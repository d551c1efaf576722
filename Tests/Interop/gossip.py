# SPDX-License-Identifier: Apache-2.0
"""The stock `serf` agent, and Cordwood's commands about members, for the tests of gossip."""

import base64
import ipaddress
import itertools
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess

from server import environment, eventually

SECONDS = 60
# Each agent has an address of the loopback's own, as it would have on a network; processes that
# run these tests at the same time take others.
addresses = itertools.count(int(ipaddress.IPv4Address("127.20.0.2")) + os.getpid() % 4096 * 256)


def next_address():
    return str(ipaddress.IPv4Address(next(addresses)))


def new_key(path, size=32):
    """A file with a key that only its owner can read; its base64."""
    text = base64.b64encode(os.urandom(size)).decode()
    path = pathlib.Path(path)
    path.touch(mode=0o600)
    path.write_text(text + "\n")
    return text


class Agent:
    """One `serf agent`."""

    program = shutil.which("serf")

    def __init__(self, name, directory, *arguments, profile="local"):
        assert self.program, "serf is missing: scripts/install-tools"
        self.name = name
        self.host = next_address()
        self.address = f"{self.host}:7946"
        self.rpc = f"{self.host}:7373"
        self.log_path = pathlib.Path(directory) / f"{name}.log"
        log = open(self.log_path, "wb")
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", self.program, "agent", "-node", name,
             "-bind", self.address, "-rpc-addr", self.rpc, "-profile", profile,
             "-log-level", "debug", *arguments],
            stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        log.close()
        eventually(self.answers, SECONDS, "the agent to answer")

    def answers(self):
        assert self.process.poll() is None, self.log()
        with socket.socket() as probe:
            return probe.connect_ex((self.host, 7373)) == 0

    def log(self):
        return self.log_path.read_text(errors="replace")

    def run(self, *arguments, check=True, **options):
        """A command of serf against this agent."""
        result = subprocess.run(
            [self.program, arguments[0], f"-rpc-addr={self.rpc}", *arguments[1:]],
            capture_output=True, text=True, timeout=SECONDS, **options)
        if check:
            assert result.returncode == 0, result.stdout + result.stderr
        return result

    def members(self):
        """The members as the agent knows them, by name."""
        listed = json.loads(self.run("members", "-format=json").stdout)
        return {member["name"]: member for member in listed["members"]}

    def status(self, name):
        return self.members().get(name, {}).get("status")

    def crash(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def leave(self):
        self.run("leave")
        assert self.process.wait(SECONDS) == 0

    def end(self):
        if self.process.poll() is None:
            self.crash()


class Members:
    """`cordwood members` against one server."""

    def __init__(self, binary, server):
        self.binary = binary
        self.server = server

    def run(self, *arguments, status=0, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        result = subprocess.run(
            [self.binary, "members", *arguments], capture_output=True, text=True, timeout=SECONDS,
            env={**environment({}), "CORDWOOD_SERVER": self.server.address, "NO_COLOR": "1"},
            **options)
        if status is not None:
            assert result.returncode == status, (result.returncode, result.stderr)
        return result

    def list(self, *arguments):
        """The members as the server knows them, by name."""
        rows = json.loads(self.run("list", "-o", "json", *arguments).stdout)
        return {row["member"]: row for row in rows}

    def status(self, name):
        return self.list().get(name, {}).get("status")
