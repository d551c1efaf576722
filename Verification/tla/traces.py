# SPDX-License-Identifier: Apache-2.0
"""Turns a run of the simulator into TLA+, and asks TLC whether the model allows it.

    traces.py FILE...            says for each trace whether it is allowed
    traces.py --doctor FILE...   spoils each trace in every way there is; all have to be refused

README.md beside this file has the format.
"""

import concurrent.futures
import copy
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

import check

SENT = {
    "accepted": ("to", "term", "match"),
    "granted": ("to", "term"),
    "voteRequest": ("to", "term", "lastIndex", "lastTerm"),
    "append": ("to", "term", "previous", "previousTerm", "count", "commit"),
    "heartbeat": ("to", "term", "commit"),
}
MESSAGES = {
    "voteRequest": ("from", "term", "lastIndex", "lastTerm"),
    "voteReply": ("from", "term", "granted"),
    "append": ("from", "term", "previous", "previousTerm", "count", "commit"),
    "accepted": ("from", "term", "match"),
    "heartbeat": ("from", "term", "commit"),
    "message": ("from", "term"),
}
CAUSES = set(MESSAGES) | {
    "tick", "saved", "stored", "refused", "appended", "change", "restart"}

CONFIGURATION = """SPECIFICATION TraceSpec
CONSTANTS
    Server = {servers}
    Nobody = 0
    Voters = {voters}
    Boss = 0
    Start = "fresh"
    Disk = "slow"
    Targets = {{}}
    Counts = {{}}
    TermMax = {terms}
    LogMax = 1000000
    BatchMax = 1000000
    CrashMax = 1000000
    Extras = {{}}
    Planted = "none"
INVARIANTS
    Unfinished ElectionSafety OneVotePerTerm StateMachineSafety
    CommittedIsDurableOnMajority AckedNeverLost
"""


def read(path):
    """The header and the events of a trace."""
    with open(path, encoding="ascii") as file:
        lines = [json.loads(line) for line in file if line.strip()]
    header, events = lines[0], lines[1:]
    for number, event in enumerate(events, 1):
        cause = event.get("cause")
        if cause not in CAUSES:
            raise ValueError(f"{path}: event {number}: cause {cause!r} is none")
        for field in MESSAGES.get(cause, ()):
            if field not in event.get("message", {}):
                raise ValueError(f"{path}: event {number}: no {field} in the {cause}")
    return header, events


def parse_entry(word):
    """Term, kind, records, voters, outgoing voters."""
    term, kind, rest = re.fullmatch(r"(\d+)([ndc])(.*)", word).groups()
    if kind == "c":
        voters, _, outgoing = rest.partition("/")
        names = [[int(one) for one in part.split(",") if one] for part in (voters, outgoing)]
        return int(term), "change", 0, names[0], names[1]
    return int(term), {"n": "noop", "d": "data"}[kind], int(rest or 0), [], []


def tla(value):
    """A value in TLA+'s words."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, set):
        return "{" + ", ".join(tla(one) for one in sorted(value)) + "}"
    if isinstance(value, dict):
        return "[" + ", ".join(f"{name} |-> {tla(one)}" for name, one in value.items()) + "]"
    return "<<" + ", ".join(tla(one) for one in value) + ">>"


def entry_record(word):
    term, kind, count, voters, outgoing = parse_entry(word)
    return {"term": term, "kind": kind, "count": count,
            "conf": {"voters": set(voters), "outgoing": set(outgoing)}}


def picked(message, fields):
    return {field: message[field] for field in fields}


def module(events):
    """The module Events: what happened, one record each, logs as what became of the one before."""
    logs = {}
    records = []
    for event in events:
        node, after = event["node"], event["after"]
        log = after["log"].split()
        before = logs.get(node, [])
        keep = 0
        while keep < min(len(log), len(before)) and log[keep] == before[keep]:
            keep += 1
        logs[node] = log
        cause = event["cause"]
        sent = [
            {"kind": one["kind"], **picked(one, SENT[one["kind"]])}
            for one in event.get("sent", []) if one["kind"] in SENT]
        records.append(tla({
            "node": node, "cause": cause,
            "message": picked(event["message"], MESSAGES[cause]) if cause in MESSAGES else {"term": 0},
            "sent": sent, "length": len(log), "keep": keep,
            "keptTerm": parse_entry(log[keep - 1])[0] if keep else 0,
            "add": [entry_record(word) for word in log[keep:]],
            "end": after.get("end", -1), "highWatermark": after.get("highWatermark", -1),
            "after": {
                "term": after["term"], "vote": after["vote"],
                "saved": {"term": after["savedTerm"], "vote": after["savedVote"]},
                "role": after["role"], "synced": after["synced"], "commit": after["commit"]},
        }))
    return ("---- MODULE Events ----\nEXTENDS Integers\nEvents == <<\n"
            + ",\n".join(records) + "\n>>\n====\n")


def explain(header, events, seconds=120):
    """How many events the model explains, and what TLC says; all means that the run is allowed."""
    terms = max([1] + [event["after"]["term"] for event in events]
                + [event["message"]["term"] for event in events if "message" in event])
    directory = check.workshop()
    try:
        with open(os.path.join(directory, "Events.tla"), "w", encoding="ascii") as file:
            file.write(module(events))
        with open(os.path.join(directory, "MC.cfg"), "w", encoding="ascii") as file:
            file.write(CONFIGURATION.format(
                servers=tla(set(header["servers"])), voters=tla(set(header["voters"])),
                terms=terms))
        output, _ = check.run_tlc("Trace.tla", "MC.cfg", directory, seconds, workers=1)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    explained = max([0] + [int(one) for one in re.findall(r'<<"explained", (\d+)>>', output)])
    violated = re.search(r"Invariant (\w+) is violated", output)
    if violated and violated[1] == "Unfinished":
        return explained, None
    if violated:
        return explained, f"{violated[1]} is violated"
    if "No error has been found" in output:
        return explained, "not allowed"
    raise RuntimeError(f"TLC failed\n{output}")


# Ways to spoil a trace. Each changes one event and says which; None if the trace has no such event.

def spoil_ack(events):
    """An acknowledgement goes out before the entries are on the disk."""
    for number, event in enumerate(events):
        later = next((one for one in event.get("sent", []) if one["kind"] == "accepted"), None)
        if event["cause"] != "stored" or later is None:
            continue
        for early in range(number - 1, -1, -1):
            other = events[early]
            if other["node"] != event["node"]:
                continue
            if other["cause"] == "append" and other["after"]["synced"] < later["match"]:
                other.setdefault("sent", []).append(dict(later))
                return early
            if other["cause"] in ("restart", "stored"):
                break
    return None


def spoil_commit(events):
    """A leader commits one entry more than enough disks have."""
    for number, event in enumerate(events):
        after = event["after"]
        if (number > len(events) // 4 and after["role"] == "leader" and event["cause"] == "appended"
                and after["commit"] < len(after["log"].split())):
            after["commit"] = len(after["log"].split())
            after.pop("highWatermark", None)
            return number
    return None


def spoil_vote(events):
    """A replica votes for another one in the same term."""
    for number, event in enumerate(events):
        after = event["after"]
        if number > len(events) // 4 and after["vote"] != 0 and event["cause"] == "append":
            after["vote"] = after["vote"] % 2 + 1
            return number
    return None


def spoil_term(events):
    """A replica comes up with an older term than it has saved."""
    for number, event in enumerate(events):
        after = event["after"]
        if event["cause"] == "restart" and after["savedTerm"] > 1:
            after["savedTerm"] -= 1
            after["term"] = min(after["term"], after["savedTerm"])
            return number
    return None


def spoil_disk(events):
    """A replica comes up without an entry that was on its disk."""
    for number, event in enumerate(events):
        after = event["after"]
        log = after["log"].split()
        if event["cause"] != "restart" or not log:
            continue
        before = [one for one in events[:number] if one["node"] == event["node"]]
        if before and before[-1]["after"]["synced"] == len(log):
            after["log"] = " ".join(log[:-1])
            after["synced"] = len(log) - 1
            after["commit"] = min(after["commit"], after["synced"])
            after.pop("end", None)
            after.pop("highWatermark", None)
            return number
    return None


def spoil_entry(events):
    """A follower keeps another entry than the one that it was sent."""
    for number, event in enumerate(events):
        log = event["after"]["log"].split()
        if event["cause"] == "append" and log and re.search(r"\dd", log[-1]):
            if event["message"]["count"] == 0 or number < len(events) // 4:
                continue
            if event["message"]["previous"] + event["message"]["count"] != len(log):
                continue
            old = log[-1]
            log[-1] = re.sub(r"d(\d+)", lambda found: f"d{int(found[1]) + 1}", log[-1])
            for other in events[number:]:
                if other["node"] == event["node"]:
                    words = other["after"]["log"].split()
                    if len(words) < len(log) or words[len(log) - 1] != old:
                        break
                    words[len(log) - 1] = log[-1]
                    other["after"]["log"] = " ".join(words)
                    other["after"].pop("end", None)
                    other["after"].pop("highWatermark", None)
            return number
    return None


SPOILS = [spoil_ack, spoil_commit, spoil_vote, spoil_term, spoil_disk, spoil_entry]


def trace_of(simulate, seed):
    """A run of the simulator."""
    with tempfile.NamedTemporaryFile("w", encoding="ascii") as file:
        subprocess.run(
            [simulate, "trace", "--seed", str(seed), "--events", "500"], stdout=file, check=True)
        return read(file.name)


def check_traces(arguments):
    """Runs of the simulator with fresh seeds are allowed; spoiled, they are not."""
    simulate = os.environ.get("SIMULATE", ".build/debug/simulate")
    if not os.path.exists(simulate):
        print(f"check-model: {simulate} is missing: swift build --product simulate, or SIMULATE=path")
        return True
    first = int(arguments[0]) if arguments else random.SystemRandom().randrange(1 << 31)
    count = int(os.environ.get("TRACES", "20"))
    print(f"check-model: runs of seeds {first} to {first + count - 1}", flush=True)
    traces = {seed: trace_of(simulate, seed) for seed in range(first, first + count)}
    spoiled = []
    for number, spoil in enumerate(SPOILS):
        # Each way once, of a run where there is something to spoil.
        for seed in list(traces)[number:] + list(traces)[:number]:
            events = copy.deepcopy(traces[seed][1])
            place = spoil(events)
            if place is not None:
                spoiled.append((spoil.__doc__, seed, place, (traces[seed][0], events[:place + 50])))
                break
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("WORKERS", "2"))) as pool:
        good = pool.map(lambda trace: explain(*trace), traces.values())
        bad = pool.map(lambda one: explain(*one[3]), spoiled)
        failed, total = False, 0
        for (seed, (_, events)), (explained, why) in zip(traces.items(), good):
            total += explained
            if why is not None:
                failed = True
                print(f"check-model: seed {seed}, event {explained + 1} of {len(events)}: {why}")
                print("  " + json.dumps(events[min(explained, len(events) - 1)]), flush=True)
        print(f"check-model: {total} events of {count} runs explained", flush=True)
        for (name, seed, place, _), (explained, why) in zip(spoiled, bad):
            failed = failed or why is None
            says = "ALLOWED" if why is None else f"refused at {explained + 1}"
            print(f"check-model: seed {seed}, spoiled at {place + 1}: {name} {says}", flush=True)
    return failed or len(spoiled) < len(SPOILS)


def main(arguments):
    failed = False
    doctor = arguments[:1] == ["--doctor"]
    for path in arguments[1:] if doctor else arguments:
        header, events = read(path)
        if not doctor:
            explained, why = explain(header, events)
            failed = failed or why is not None
            print(f"{path}: " + (f"allowed, {len(events)} events" if why is None else
                                 f"event {explained + 1} of {len(events)}: {why}"), flush=True)
            if why is not None and explained < len(events):
                print(json.dumps(events[explained]))
            continue
        for spoil in SPOILS:
            spoiled = copy.deepcopy(events)
            number = spoil(spoiled)
            if number is None:
                print(f"{path}: {spoil.__name__}: nothing to spoil")
                continue
            explained, why = explain(header, spoiled)
            failed = failed or why is None
            print(f"{path}: {spoil.__name__} at {number + 1}: "
                  + ("ALLOWED" if why is None else f"refused at {explained + 1}: {why[:60]}"),
                  flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
