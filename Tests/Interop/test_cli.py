# SPDX-License-Identifier: Apache-2.0
"""The command line as a user has it: data on stdout, talk on stderr, exit codes, files."""

import hashlib
import json
import os
import random
import signal
import subprocess
import time

import pytest

from clients import Client
from server import environment, eventually


@pytest.fixture
def cordwood(binary, shared):
    """Runs the program against the shared server."""

    def run(*arguments, data=None, status=0, timeout=60, server=shared.address):
        command = [str(binary), *map(str, arguments)]
        result = subprocess.run(
            command, input=data, capture_output=True, timeout=timeout,
            env={**environment({}), "CORDWOOD_SERVER": server, "NO_COLOR": "1"})
        if status is not None:
            assert result.returncode == status, (result.returncode, result.stderr.decode())
        return result

    return run


def lines(result):
    return result.stdout.decode().splitlines()


def random_lines(size, seed):
    """Bytes of every value, in lines of many lengths, the empty and a long one among them."""
    chance = random.Random(seed)
    data = bytearray(chance.randbytes(size))
    data[1000:1003] = b"\n\n\n"
    longest = min(size // 4, 200_000)
    data[5000:5000 + longest] = bytes(data[5000:5000 + longest]).replace(b"\n", b"x")
    return bytes(data)


@pytest.mark.parametrize("ending", [b"\n", b"no newline at the end"])
def test_a_file_comes_back_byte_for_byte(cordwood, client, topic, tmp_path, ending):
    path = tmp_path / "file"
    size = 50 << 20 if ending == b"\n" else 1 << 20
    path.write_bytes(random_lines(size, 1) + ending)
    cordwood("produce", topic, "--file", path, timeout=300)
    result = cordwood("consume", topic, "--from", "start", timeout=300)
    assert hashlib.sha256(result.stdout).digest() == hashlib.sha256(path.read_bytes()).digest()


def test_standard_input_comes_back(cordwood, topic):
    cordwood("produce", topic, data=b"one\ntwo\n\nfour\n")
    assert cordwood("consume", topic, "--from", "start").stdout == b"one\ntwo\n\nfour\n"


def test_talk_goes_to_stderr_and_data_to_stdout(cordwood, topic):
    result = cordwood("produce", topic, data=b"one\n")
    assert result.stdout == b"" or b"one" not in result.stdout
    result = cordwood("consume", topic, "--from", "start")
    assert result.stdout == b"one\n"


@pytest.mark.parametrize("start, first", [
    ("start", 0), ("end", 20), ("-5", 15), ("7", 7), ("@-15m", 0)])
def test_consume_starts_where_it_is_told(cordwood, client, topic, start, first):
    client.produce(topic, [b"%d" % number for number in range(20)])
    result = cordwood("consume", topic, f"--from={start}")
    assert lines(result) == [str(number) for number in range(first, 20)]


def test_consume_formats_as_told(cordwood, topic):
    cordwood("produce", topic, "--key", "k", data=b"a\nb\n")
    result = cordwood("consume", topic, "--from", "start", "-f", "%t/%p/%o %k=%s;")
    assert result.stdout == f"{topic}/0/0 k=a;{topic}/0/1 k=b;".encode()


def test_consume_gives_json_lines(cordwood, topic):
    cordwood("produce", topic, data=b"a\nb\n")
    records = [json.loads(line) for line in lines(
        cordwood("consume", topic, "--from", "start", "-o", "jsonl"))]
    assert [(record["offset"], record["value"]) for record in records] == [(0, "a"), (1, "b")]


def test_follow_goes_on_until_it_is_interrupted(binary, client, shared, topic):
    client.produce(topic, [b"before"])
    process = subprocess.Popen(
        [binary, "consume", topic, "--from", "start", "--follow"], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env={**environment({}), "CORDWOOD_SERVER": shared.address})
    try:
        assert process.stdout.readline() == b"before\n"
        for number in range(5):
            client.produce(topic, [b"later %d" % number])
            assert process.stdout.readline() == b"later %d\n" % number
        process.send_signal(signal.SIGINT)
        assert process.wait(10) in (0, 130)
    finally:
        process.kill()
        process.wait()


def test_a_closed_pipe_ends_consume_quietly(binary, client, shared, topic):
    client.produce(topic, [b"x" * 1000] * 500)
    result = subprocess.run(
        ["bash", "-c", f'"{binary}" consume {topic} --from start | head -n 1'],
        capture_output=True, timeout=20,
        env={**environment({}), "CORDWOOD_SERVER": shared.address})
    assert result.stdout == b"x" * 1000 + b"\n"
    assert b"rash" not in result.stderr and b"atal" not in result.stderr


def test_topics_are_made_listed_changed_and_deleted(cordwood):
    cordwood("topic", "create", "by-hand", "--partitions", 2, "--set", "retention.ms=60000")
    listed = json.loads(cordwood("topic", "list", "-o", "json").stdout)
    assert "by-hand" in json.dumps(listed)
    described = json.loads(cordwood("topic", "describe", "by-hand", "-o", "json").stdout)
    assert "60000" in json.dumps(described)
    cordwood("topic", "config", "by-hand", "--set", "durability=os", "--reset", "retention.ms")
    described = json.dumps(json.loads(cordwood("topic", "describe", "by-hand", "-o", "json").stdout))
    assert "60000" not in described and '"os"' in described
    unconfirmed = cordwood("topic", "delete", "by-hand", status=2)
    assert b"CW-6004" in unconfirmed.stderr
    cordwood("topic", "delete", "by-hand", "--yes")
    cordwood("topic", "describe", "by-hand", status=3)


@pytest.mark.parametrize("arguments, status, code", [
    (["consume", "no-such-topic"], 3, "CW-1002"),
    (["produce", "../../etc"], 1, "CW-1004"),
    (["consume", "default", "--from", "999999999"], 3, "CW-1007"),
    (["topic", "create", "default"], 1, "CW-1003"),
    (["produce", "default", "--file", "/no/such/file"], 1, "CW-6001"),
])
def test_errors_have_three_lines_and_a_stable_status(cordwood, arguments, status, code):
    result = cordwood(*arguments, data=b"x\n", status=None)
    told = result.stderr.decode().rstrip("\n").splitlines()
    assert result.returncode == status, told
    assert code in result.stderr.decode() and len(told) == 3, told
    assert result.stdout == b""


def test_a_server_that_is_not_there_is_said_so(cordwood):
    result = cordwood("topic", "list", server="127.0.0.1:1", status=None)
    assert result.returncode not in (0, 2) and "CW-5001" in result.stderr.decode()
    assert len(result.stderr.decode().rstrip("\n").splitlines()) == 3


@pytest.mark.parametrize("arguments", [
    ["no-such-command"], ["consume"], ["consume", "x", "--no-such-flag"],
    ["consume", "x", "--from", "yesterday"], ["topic", "create", "x", "--partitions", "many"]])
def test_wrong_usage_has_a_status_of_its_own(cordwood, arguments):
    result = cordwood(*arguments, status=None)
    assert result.returncode == 2 and result.stdout == b"" and result.stderr


def test_errors_are_explained(cordwood):
    text = cordwood("errors", "explain", "CW-1007").stdout.decode()
    assert "CW-1007" in text and len(text.splitlines()) >= 3
    cordwood("errors", "explain", "CW-9999", status=1)


def test_the_version_is_told(cordwood):
    assert lines(cordwood("version"))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions_are_made(cordwood, shell):
    assert b"cordwood" in cordwood("completion", shell).stdout


def test_bash_takes_the_completion(cordwood, tmp_path):
    path = tmp_path / "completion"
    path.write_bytes(cordwood("completion", "bash").stdout)
    subprocess.run(["bash", "-n", path], check=True, timeout=20)


def test_an_unknown_key_of_the_configuration_is_refused_with_the_nearest(cordwood, tmp_path):
    path = tmp_path / "cordwood.yaml"
    path.write_text("log:\n  levle: debug\n")
    result = cordwood("config", "check", "--config", path, status=None)
    assert result.returncode == 1
    assert b"CW-4001" in result.stderr and b"log.level" in result.stderr


def test_the_example_configuration_is_accepted(cordwood, tmp_path):
    path = tmp_path / "cordwood.yaml"
    path.write_bytes(cordwood("config", "example").stdout)
    cordwood("config", "check", "--config", path)


def test_flags_win_over_the_environment_and_that_over_the_file(binary, tmp_path):
    path = tmp_path / "cordwood.yaml"
    path.write_text("node:\n  id: from-file\nlog:\n  level: debug\n  format: json\n")
    result = subprocess.run(
        [binary, "config", "show", "--config", path, "--log-level", "warning", "-o", "json"],
        capture_output=True, check=True, timeout=20,
        env=environment({"log.level": "error", "log.format": "text"}))
    shown = {entry["key"]: entry["value"] for entry in json.loads(result.stdout)}
    assert shown["log.level"] == "warning"
    assert shown["log.format"] == "text"
    assert shown["node.id"] == "from-file"


def test_debug_finds_damage_in_a_log_that_nobody_has_open(make_server, binary):
    server = make_server()
    client = Client(server.channel())
    client.create("checked")
    for number in range(30):
        client.produce("checked", [b"marker-%d" % number])
    server.stop()
    store = next(path for path in server.data.rglob("*.store")
                 if b"marker-7" in path.read_bytes())

    def verify():
        return subprocess.run(
            [binary, "debug", "verify", store.parent], capture_output=True, text=True, timeout=60)

    sound = verify()
    assert sound.returncode == 0, sound.stderr
    dump = subprocess.run(
        [binary, "debug", "dump-segment", store], capture_output=True, text=True, timeout=60)
    assert dump.returncode == 0 and len(dump.stdout.splitlines()) >= 30, dump.stderr
    data = bytearray(store.read_bytes())
    data[data.index(b"marker-7")] ^= 1
    store.write_bytes(data)
    damaged = verify()
    assert damaged.returncode != 0
    assert "7" in damaged.stdout + damaged.stderr


def test_dev_is_ready_soon_and_says_what_to_do_next(binary, tmp_path):
    settings = {"listen.grpc.address": "127.0.0.1:0", "listen.kafka.address": "127.0.0.1:0",
                "gossip.bind": "127.0.0.1:0"}
    process = subprocess.Popen(
        [binary, "dev"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=tmp_path,
        env={**environment(settings), "NO_COLOR": "1"})
    os.set_blocking(process.stdout.fileno(), False)
    said = bytearray()

    def has_said():
        said.extend(process.stdout.read() or b"")
        return b"cordwood produce" in said and b"cordwood consume" in said

    try:
        eventually(has_said, 20, "the next commands")
        assert (tmp_path / ".cordwood-dev").is_dir()
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_bench_measures_something(cordwood):
    result = cordwood("bench", "--help")
    assert b"--" in result.stdout


def test_produce_reports_progress_only_on_a_terminal(cordwood, topic, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"line\n" * 200_000)
    began = time.monotonic()
    result = cordwood("produce", topic, "--file", path)
    assert b"\r" not in result.stderr and b"\x1b[" not in result.stderr
    assert time.monotonic() - began < 60
