# SPDX-License-Identifier: Apache-2.0
"""Servers find each other, and Serf's own agent looks in: members, events, queries, keys."""

import base64
import hashlib
import json
import re
import signal
import subprocess

import pytest

from clients import Client, ROOT, book
from gossip import SECONDS, Agent, Members, new_key, next_address
from server import environment, eventually, refusal_of


@pytest.fixture
def servers(make_server):
    """Starts servers that gossip as those on one machine do."""
    def make(name, seeds=(), **settings):
        settings = {key.replace("__", "."): value for key, value in settings.items()}
        return make_server(
            {"node.id": name, "gossip.profile": "local", "gossip.seeds": ", ".join(seeds),
             **settings}, name=name)
    return make


@pytest.fixture
def agents(tmp_path):
    """Starts agents of Serf."""
    started = []

    def make(name, *arguments, **options):
        agent = Agent(name, tmp_path, *arguments, **options)
        started.append(agent)
        return agent

    yield make
    for agent in started:
        agent.end()


@pytest.fixture
def pair(binary, servers):
    """Two servers that know each other, and the commands of the first."""
    first = servers("first")
    second = servers("second", [first.gossip])
    members = Members(binary, first)
    eventually(lambda: members.status("second") == "alive", SECONDS, "the second server")
    return first, second, members


@pytest.fixture
def observer(binary):
    """Begins `cordwood debug gossip`, and reads its events until one is as wanted."""
    begun = []

    class Observer:
        def __init__(self, *arguments):
            self.process = subprocess.Popen(
                [binary, "debug", "gossip", "--profile", "local", "-o", "jsonl", *arguments],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                env=environment({}))
            begun.append(self.process)

        def wait(self, **wanted):
            """The first event from now on that has these values."""
            for line in self.process.stdout:
                event = json.loads(line)
                if all(event.get(name) == value for name, value in wanted.items()):
                    return event
            raise AssertionError(f"the observer ended: {self.process.stderr.read().decode()}")

        def interrupt(self):
            self.process.send_signal(signal.SIGINT)
            return self.process.wait(SECONDS)

    yield Observer
    for process in begun:
        process.kill()
        process.wait()


# MARK: servers among themselves

def test_two_servers_find_each_other_and_an_end_is_told_from_a_crash(pair, servers):
    first, second, members = pair
    row = members.list()["second"]
    assert row["grpc"] == second.address and row["kafka"] == second.kafka
    assert row["gossip"] == second.gossip and row["admin"] is None
    assert row["is_server"] and not row["is_local"] and row["cluster"] == "cordwood"
    assert row["store_id"] == (second.data / "store.id").read_text().split("\n")[1]
    assert members.list()["first"]["is_local"]

    assert second.stop() == 0
    eventually(lambda: members.status("second") == "left", SECONDS, "the second to have left")
    second.settings["gossip.bind"] = second.gossip
    second.start()
    eventually(lambda: members.status("second") == "alive", SECONDS, "the second to be back")
    second.crash()
    eventually(lambda: members.status("second") == "failed", SECONDS, "the second to have failed")
    second.start()
    eventually(lambda: members.status("second") == "alive", SECONDS, "the second to be back again")


def test_a_client_of_the_book_is_sent_to_no_server_whose_log_is_another(pair):
    first, second, _ = pair
    for server in (first, second):
        known = Client(server.channel()).book.GetServers(book.GetServersRequest(), timeout=SECONDS)
        assert [entry.rpc_addr for entry in known.servers] == [server.address]


def test_a_server_of_another_cluster_is_kept_out(pair, servers, binary):
    first, _, members = pair
    stranger = servers("stranger", cluster__name="another")
    refused = Members(binary, stranger).run("join", first.gossip, status=6)
    assert "[CW-3008]" in refused.stderr
    assert set(members.list()) == {"first", "second"}
    assert set(Members(binary, stranger).list()) == {"stranger"}


def test_of_two_servers_with_one_name_the_later_goes_on_alone_and_says_so(pair, servers, binary):
    first, second, members = pair
    twin = servers("second-copy", [first.gossip], node__id="second")
    alone = Members(binary, twin)
    eventually(lambda: "gossip is failed" in alone.run("list").stderr, SECONDS, "the twin to notice")
    assert "CW-3007" in twin.log()
    client = Client(twin.channel())
    topic = client.create("alone").name
    client.produce(topic, [b"still serving"])
    assert members.list()["second"]["gossip"] == second.gossip
    assert members.status("second") == "alive"


@pytest.mark.parametrize("settings, code, hint", [
    ({"gossip.bind": "0.0.0.0:0"}, "CW-3004", "gossip.keys.file"),
    ({"gossip.bind": "127.0.0.1:0", "gossip.seeds": "192.0.2.1"}, "CW-4002", "gossip.advertise"),
    ({"gossip.bind": "127.0.0.1:0", "gossip.keyring": "/no/such/file"}, "CW-4002",
     "gossip.keys.file"),
    ({"gossip.bind": "127.0.0.1:0", "gossip.keys.file": "/no/such/file"}, "CW-4002", "openssl"),
])
def test_settings_that_cannot_work_are_refused_with_what_to_do(
        binary, tmp_path, settings, code, hint):
    said = refusal_of(binary, {
        "data_dir": tmp_path / "data", "listen.grpc.address": "127.0.0.1:0",
        "listen.kafka.address": "127.0.0.1:0", **settings})
    assert code in said and hint in said


def test_a_port_that_is_taken_is_refused(pair, binary, tmp_path):
    first, _, _ = pair
    said = refusal_of(binary, {
        "data_dir": tmp_path / "data", "listen.grpc.address": "127.0.0.1:0",
        "listen.kafka.address": "127.0.0.1:0", "gossip.bind": first.gossip})
    assert "CW-3003" in said and "--gossip" in said


# MARK: Serf's own agent

def test_an_agent_sees_the_servers_with_their_tags_and_they_see_it(pair, agents):
    first, second, members = pair
    agent = agents("operator", "-tag", "role=operator")
    agent.run("join", first.gossip)
    eventually(lambda: agent.status("second") == "alive", SECONDS, "the agent to see both")
    tags = agent.members()["second"]["tags"]
    assert tags["grpc"] == second.address and tags["kafka"] == second.kafka
    assert tags["cluster"] == "cordwood" and "admin" not in tags
    eventually(lambda: members.status("operator") == "alive", SECONDS, "the server to see the agent")
    row = members.list()["operator"]
    assert row["tags"] == {"role": "operator"} and not row["is_server"] and row["grpc"] is None

    agent.run("tags", "-set", "role=guest")
    eventually(lambda: members.list()["operator"]["tags"] == {"role": "guest"}, SECONDS,
               "the new tag")
    agent.leave()
    eventually(lambda: members.status("operator") == "left", SECONDS, "the agent to have left")


def test_a_server_joins_an_agent_and_sees_it_fail_and_be_forgotten(pair, agents):
    _, _, members = pair
    agent = agents("agent")
    members.run("join", agent.address)
    eventually(lambda: agent.status("second") == "alive", SECONDS, "the agent to see all")
    agent.crash()
    eventually(lambda: members.status("agent") == "failed", SECONDS, "the agent to have failed")
    members.run("force-leave", "agent")
    eventually(lambda: members.status("agent") == "left", SECONDS, "the agent to count as left")
    members.run("force-leave", "agent", "--prune")
    eventually(lambda: members.status("agent") is None, SECONDS, "the agent to be forgotten")


def test_events_and_queries_go_both_ways(binary, servers, agents, observer, tmp_path):
    # With the local profile each member passes on so little that one of four may miss a query, which
    # nobody sends again.
    first = servers("first", gossip__profile="lan")
    second = servers("second", [first.gossip], gossip__profile="lan")
    members = Members(binary, first)
    handler = tmp_path / "handler"
    handler.write_text('#!/bin/sh\ncase "$SERF_EVENT" in query) printf "up";; '
                       f'user) cat > {tmp_path}/event-$SERF_USER_EVENT;; esac\n')
    handler.chmod(0o700)
    agent = agents("agent", f"-event-handler={handler}", profile="lan")
    agent.run("join", first.gossip)
    eventually(lambda: agent.status("second") == "alive", SECONDS, "the agent to see all")
    watching = observer("--join", second.gossip, "--name", "looking", "--profile", "lan")
    watching.wait(event="joined", member="agent")

    members.run("event", "deploy", "v1.2.3")
    assert watching.wait(event="event", name="deploy")["payload"] == "v1.2.3"
    eventually(lambda: (tmp_path / "event-deploy").exists(), SECONDS, "the agent's handler to run")
    agent.run("event", "reload", "now")
    assert watching.wait(event="event", name="reload")["payload"] == "now"

    def asked(*arguments):
        rows = json.loads(members.run(
            "query", "uptime", "--wait", "1s", "-o", "json", *arguments).stdout)
        return {row["member"]: row for row in rows if row["acknowledged"]}

    everybody = {"first", "second", "agent", "looking"}
    heard = eventually(lambda: (rows := asked()).keys() == everybody and rows, SECONDS,
                       "a query that all have heard")
    assert heard["agent"]["answer"] == "up" and heard["second"]["answer"] is None
    eventually(lambda: asked("--member", "second").keys() == {"second"}, SECONDS,
               "a query to one member")
    eventually(lambda: asked("--tag", "role=^obs").keys() == {"looking"}, SECONDS,
               "a query to members with a tag")

    def agent_asked():
        result = json.loads(agent.run("query", "-format=json", "-timeout=1s", "whoami").stdout)
        return everybody <= set(result["Acks"])
    eventually(agent_asked, SECONDS, "the agent's query to be acknowledged by all")
    watching.wait(event="query", name="whoami")
    assert watching.interrupt() == 0


def test_all_can_be_reached_and_the_way_to_them_is_known(pair, agents):
    first, _, members = pair
    agent = agents("agent")
    members.run("join", agent.address)
    eventually(lambda: agent.status("second") == "alive", SECONDS, "the agent to see all")
    rows = json.loads(members.run("reachability", "-o", "json").stdout)
    assert {row["member"] for row in rows} == {"first", "second", "agent"}
    assert all(row["reachable"] and row["after_ms"] >= 0 for row in rows)
    assert "contacted all live nodes" in agent.run("reachability").stdout

    def estimated():
        result = members.run("rtt", "agent", "-o", "json", status=None)
        return result.returncode == 0 and json.loads(result.stdout)
    trip = eventually(estimated, SECONDS, "an estimate")
    assert trip["from"] == "agent" and trip["to"] == "first" and 0 < trip["rtt_ms"] < 1000
    eventually(lambda: "rtt" in agent.run("rtt", "first", check=False).stdout, SECONDS,
               "the agent's own estimate")


# MARK: keys

def fingerprint(key):
    return hashlib.sha256(base64.b64decode(key)).hexdigest()[:16]


def keys(members):
    return {row["fingerprint"]: row for row in
            json.loads(members.run("keys", "list", "-o", "json").stdout)}


def test_keys_are_rotated_with_an_agent_among_the_members(binary, servers, agents, tmp_path):
    old, new = new_key(tmp_path / "old.key"), new_key(tmp_path / "new.key", 16)
    encrypted = {"gossip__keys__file": tmp_path / "old.key",
                 "gossip__keyring": tmp_path / "keyring.json"}
    first = servers("first", **encrypted)
    agent = agents("agent", f"-encrypt={old}")
    agent.run("join", first.gossip)
    members = Members(binary, first)
    eventually(lambda: members.status("agent") == "alive", SECONDS, "the agent")
    assert keys(members).keys() == {fingerprint(old)}
    assert "[2/2]" in agent.run("keys", "-list").stdout

    members.run("keys", "install", "--file", tmp_path / "new.key")
    agent.run("keys", f"-use={new}")
    members.run("keys", "remove", stdin=open(tmp_path / "old.key"))
    row = keys(members)[fingerprint(new)]
    assert (row["members"], row["primary_at"]) == (2, 2) and len(keys(members)) == 1
    assert agent.run("keys", "-list").stdout.count(new) == 1
    assert members.status("agent") == "alive" and agent.status("first") == "alive"

    # The keyring keeps what was changed, over a restart; no key is in the log or in what is shown.
    assert json.loads((tmp_path / "keyring.json").read_text()) == [new]
    first.settings["gossip.bind"] = first.gossip
    assert first.stop() == 0
    first.start()
    agent.run("join", first.gossip)
    eventually(lambda: agent.status("first") == "alive", SECONDS, "the server to be back")
    shown = subprocess.run([binary, "config", "show"], capture_output=True, text=True,
                           env=environment(first.settings)).stdout
    for text in (shown, *(path.read_text() for path in first.directory.glob("server-*.log"))):
        assert old not in text and new not in text


def test_who_has_no_key_or_another_is_kept_out(binary, servers, agents, tmp_path):
    new_key(tmp_path / "right.key")
    inside = servers("inside", gossip__keys__file=tmp_path / "right.key")
    for agent in (agents("plain"), agents("wrong", f"-encrypt={new_key(tmp_path / 'wrong.key')}")):
        assert agent.run("join", inside.gossip, check=False).returncode != 0
        assert set(agent.members()) == {agent.name}
    assert set(Members(binary, inside).list()) == {"inside"}


# MARK: the observer

def test_an_observer_joins_any_cluster_and_leaves_at_ctrl_c(agents, observer, tmp_path):
    key = new_key(tmp_path / "cluster.key")
    agent = agents("agent", f"-encrypt={key}")
    other = agents("other", f"-encrypt={key}")
    watching = observer(
        "--join", agent.address, "--cluster-key-file", str(tmp_path / "cluster.key"),
        "--name", "looking")
    assert watching.wait(event="joined", member="agent")["address"] == agent.address
    eventually(lambda: agent.status("looking") == "alive", SECONDS, "the agent to see it")
    assert agent.members()["looking"]["tags"] == {"role": "observer"}
    other.run("join", agent.address)
    watching.wait(event="joined", member="other")
    other.run("event", "deploy", "v2")
    assert watching.wait(event="event")["payload"] == "v2"
    other.crash()
    watching.wait(event="failed", member="other")
    assert watching.interrupt() == 0
    eventually(lambda: agent.status("looking") == "left", SECONDS, "the observer to have left")


def test_an_observer_that_nobody_answers_ends_with_why(binary):
    result = subprocess.run(
        [binary, "debug", "gossip", "--join", f"{next_address()}:7946"], capture_output=True,
        text=True, timeout=SECONDS, env=environment({}))
    assert result.returncode == 6
    assert "[CW-3008]" in result.stderr and "--cluster-key-file" in result.stderr


# MARK: others

def test_a_watcher_is_told_of_each_change(pair, binary):
    _, second, members = pair
    process = subprocess.Popen(
        [binary, "members", "list", "--follow", "-o", "jsonl"], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
        env={**environment({}), "CORDWOOD_SERVER": members.server.address})
    try:
        seen = [json.loads(process.stdout.readline()) for _ in range(2)]
        assert [(row["change"], row["member"]) for row in seen] == [
            ("present", "first"), ("present", "second")]
        second.crash()
        row = json.loads(process.stdout.readline())
        assert (row["change"], row["member"]) == ("failed", "second")
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 0
    finally:
        process.kill()
        process.wait()


def test_health_tells_gossip_from_the_server(pair):
    first, _, members = pair
    members.run("leave", "--yes")
    check = first.channel().unary_unary("/grpc.health.v1.Health/Check")

    def serving(service):
        # A message of one text goes in, one of one number comes out: 1 is SERVING, 2 is not.
        return check(b"\x0a" + bytes([len(service)]) + service.encode(), timeout=SECONDS)

    assert serving("cordwood.v1.MemberService") == b"\x08\x02"
    assert serving("") == b"\x08\x01"
    assert members.run("event", "x", status=6).stderr.count("CW-3007") == 1


def test_the_readme_shows_what_happens(binary, tmp_path):
    """What the README says of two servers happens, word for word but for ports and folders."""
    text = (ROOT / "README.md").read_text()
    section = re.search(r"^## More servers than one\n(.*?)^## ", text, re.S | re.M).group(1)
    commands = re.findall(r"^\$ (cordwood serve .*)$", section, re.M)
    assert len(commands) == 2, section
    hosts = {}

    def elsewhere(text):
        return re.sub(r"127\.0\.0\.1:(\d+)", lambda match: (
            hosts.setdefault(match.group(0), next_address()) + ":" + match.group(1)), text)

    # What the commands do not say is the default, at an address of the test's own.
    server = elsewhere("127.0.0.1:8400")
    defaults = environment({
        "listen.grpc.address": server, "listen.kafka.address": elsewhere("127.0.0.1:9092"),
        "gossip.bind": elsewhere("127.0.0.1:8401")})
    processes = []
    try:
        for command in commands:
            words = elsewhere(command).split()
            words[0] = str(binary)
            log = open(tmp_path / f"{len(processes)}.log", "wb")
            processes.append(subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *words], cwd=tmp_path, stdout=log,
                stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=defaults))
            log.close()

        def names():
            assert all(process.poll() is None for process in processes), (
                *(path.read_text() for path in tmp_path.glob("*.log")),)
            result = subprocess.run(
                [binary, "members", "list", "-o", "json", "--server", server],
                capture_output=True, text=True, timeout=SECONDS, env=environment({}))
            return result.returncode == 0 and sorted(
                row["member"] for row in json.loads(result.stdout) if row["status"] == "alive")
        shown = re.findall(r"^(\S+)\s+alive", section, re.M)
        eventually(lambda: names() == sorted(shown), SECONDS, f"{shown} to be there")
    finally:
        for process in processes:
            process.kill()
            process.wait()
