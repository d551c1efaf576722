# SPDX-License-Identifier: Apache-2.0
"""The command line as a process: pipes, signals, terminals, files larger than a read."""

import itertools
import json
import os
import pty
import random
import signal
import subprocess

import pytest

from server import environment, eventually

names = itertools.count()


@pytest.fixture
def name():
    return f"cli-{next(names)}"


@pytest.fixture
def cordwood(binary, shared):
    """Runs a command against the shared server."""
    def run(*arguments, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run(
            [binary, *arguments], env=variables(shared), capture_output=True, timeout=120,
            **options)
    return run


@pytest.fixture
def begin(binary, shared):
    """Begins a command against the shared server."""
    begun = []

    def run(*arguments, **options):
        options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
                   **options}
        process = subprocess.Popen([binary, *arguments], env=variables(shared), **options)
        begun.append(process)
        return process

    yield run
    for process in begun:
        process.kill()
        process.wait()


def variables(server):
    return {**environment({}), "CORDWOOD_SERVER": server.address, "TERM": "xterm"}


def lines(count, seed):
    """Lines of many lengths, of any bytes, the last without its newline."""
    source = random.Random(seed)
    return b"".join(source.randbytes(source.randrange(0, 200)) + b"\n" for _ in range(count)) + b"end"


def test_a_large_file_is_consumed_byte_for_byte_and_shows_progress(cordwood, begin, tmp_path, name):
    content = lines(100_000, seed=1)
    path = tmp_path / "large"
    path.write_bytes(content)
    # The pseudo-terminal is what standard error goes to, and only that.
    outer, inner = pty.openpty()
    produced = begin("produce", name, "--file", str(path), stderr=inner)
    os.close(inner)
    seen = read_all(outer)
    assert produced.wait(60) == 0
    assert b"% " in seen and "█".encode() in seen, seen
    assert seen.rstrip().endswith(b" s") or seen.rstrip().endswith(b" ms"), seen[-200:]
    assert produced.stdout.read() == b""

    consumed = cordwood("consume", name)
    assert consumed.returncode == 0
    assert consumed.stdout == content
    assert consumed.stderr == b""


def test_a_reader_that_goes_away_ends_the_command_without_a_word(cordwood, begin, name):
    cordwood("produce", name, input=lines(20_000, seed=2), stdin=None)
    for more in [(), ("--follow",)]:
        process = begin("consume", name, *more)
        process.stdout.read(10)
        process.stdout.close()
        assert process.wait(20) == 0
        assert process.stderr.read() == b""


def test_an_interrupt_ends_following_well_and_other_commands_with_130(cordwood, begin, name):
    cordwood("produce", name, input=b"first\n", stdin=None)
    follower = begin("consume", name, "--follow")
    assert follower.stdout.readline() == b"first\n"
    follower.send_signal(signal.SIGINT)
    assert follower.wait(20) == 0
    assert follower.stderr.read() == b""

    producer = begin("produce", name)
    producer.stdin.write(b"second\n")
    producer.stdin.flush()
    eventually(lambda: cordwood("consume", name).stdout == b"first\nsecond\n",
               what="a line to arrive while the input stays open")
    producer.send_signal(signal.SIGINT)
    assert producer.wait(20) == 130
    assert producer.stderr.read() == b""


def test_statuses_tell_failures_apart(cordwood, binary, name):
    assert cordwood("topic", "list").returncode == 0
    assert cordwood("topic", "lits").returncode == 2
    assert cordwood("consume", name).returncode == 3
    assert cordwood("topic", "create", name).returncode == 0
    assert cordwood("topic", "create", name).returncode == 1
    assert cordwood("topic", "delete", name).returncode == 2
    assert cordwood("topic", "delete", name, "--yes").returncode == 0
    assert cordwood("topic", "list", "--server", "127.0.0.1:1").returncode == 6


def test_a_development_server_says_that_it_is_ready_and_stops_at_ctrl_c(binary, tmp_path):
    process = subprocess.Popen(
        [binary, "dev", "--listen", "127.0.0.1:0", "--kafka", "127.0.0.1:0",
         "--gossip", "127.0.0.1:0", "-o", "json"],
        cwd=tmp_path, env=environment({}), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        ready = json.loads(process.stdout.readline())
        assert (tmp_path / ".cordwood-dev" / "store.id").exists()
        produced = subprocess.run(
            [binary, "produce", "orders", "-k", "u42", "--server", ready["address"]],
            input=b'{"id":1}\n', capture_output=True, timeout=60)
        assert produced.returncode == 0
        assert b"created orders, 1 partition" in produced.stderr
        assert b"orders[0] @ 0" in produced.stderr
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()


def read_all(descriptor):
    """What is written on a pseudo-terminal until its other end is closed."""
    seen = b""
    while True:
        try:
            piece = os.read(descriptor, 65536)
        except OSError:
            piece = b""
        if not piece:
            os.close(descriptor)
            return seen
        seen += piece
