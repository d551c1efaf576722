# SPDX-License-Identifier: Apache-2.0
"""Runs TLC over the model: the configurations beside this file, planted errors, and traces."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CHECKED = ["Elections", "Disks", "Members"]
BY_HAND = ["LargeElections", "LargeDisks", "LargeMembers"]

# Error, configuration to start from, constants that are other ones. What is searched is everything
# within these bounds, breadth first, so what is found is a shortest way to it.
ERRORS = [
    ("ackBeforeSync", "Disks", {}),
    ("countUnsyncedSelf", "Disks", {}),
    ("volatileVote", "Elections", {}),
    ("commitOlderTerm", "Terms", {}),
    ("ackLastIndex", "Terms", {"Extras": '{"scraps"}'}),
    ("unionMajority", "Unions", {}),
    ("simpleChangeBeforeNoOp", "Steps", {}),
    ("staleCompletionCounts", "Disks", {"Extras": '{"syncs"}'}),
    ("restartKeepsVote", "Disks", {}),
    ("truncateOnStaleAppend", "Disks", {"Extras": '{"scraps"}'}),
    ("voteTwice", "Elections", {}),
    ("voteIgnoresLog", "Disks", {}),
    ("followerCommitUnverified", "Terms", {"Extras": '{"scraps"}'}),
    ("acksOfOldTermCount", "Disks", {}),
    ("removedLeaderCounts", "Changes", {"Targets": "{{b, c}}"}),
    ("changeWhilePending", "Unions", {}),
    ("offsetsFollowIndexes", "Terms", {}),
]


def run_tlc(module, config, directory, seconds, workers=None):
    """TLC's output and exit code; the module and all it needs lie in the directory."""
    command = [
        "java", *(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"] if workers else
                  ["-XX:+UseParallelGC"]), "-Xmx3g", "-Xss16m",
        # TLC unpacks its own modules there, and two of them at once get in each other's way.
        "-Djava.io.tmpdir=" + directory, "-cp", os.environ["TLA_JAR"],
        "tlc2.TLC", "-deadlock", "-workers", str(workers or os.environ.get("WORKERS", "2")),
        "-metadir", os.path.join(directory, "states"), "-config", config, module,
    ]
    try:
        done = subprocess.run(
            command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=seconds, check=False)
        return done.stdout, done.returncode
    except subprocess.TimeoutExpired as late:
        return (late.stdout or b"").decode(), None


def configuration(name, changes):
    """The text of a configuration, with some constants changed."""
    with open(os.path.join(HERE, name + ".cfg"), encoding="ascii") as file:
        text = file.read()
    for constant, value in changes.items():
        text, count = re.subn(rf"(?m)^( *{constant}) = .*$", rf"\1 = {value}", text)
        assert count == 1, f"{name}.cfg has no {constant}"
    return text


def workshop():
    """A directory with the modules, which TLC may litter."""
    directory = tempfile.mkdtemp(prefix="check-model.")
    for module in ("Cordwood.tla", "Trace.tla"):
        if os.path.exists(os.path.join(HERE, module)):
            shutil.copy(os.path.join(HERE, module), directory)
    return directory


def check(name, changes, seconds):
    """One line's worth of what TLC says: states, depth, what is violated, seconds, output."""
    directory = workshop()
    try:
        with open(os.path.join(directory, "MC.cfg"), "w", encoding="ascii") as file:
            file.write(configuration(name, changes))
        begun = time.monotonic()
        output, code = run_tlc("Cordwood.tla", "MC.cfg", directory, seconds)
        spent = time.monotonic() - begun
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    states = re.findall(r"([\d,]+) distinct states found", output)
    depth = re.findall(r"depth of the complete state graph search is (\d+)", output)
    violated = re.findall(r"(?:Invariant|property) (\w+) (?:is|was) violated", output)
    steps = len(re.findall(r"(?m)^State \d+:", output))
    return {
        "states": states[-1].replace(",", "") if states else "?",
        "depth": depth[-1] if depth else "?",
        "violated": violated[0] if violated else None,
        "steps": steps, "seconds": spent, "code": code, "output": output,
    }


def check_configurations(names, seconds):
    """All invariants hold within the bounds of these configurations."""
    failed = False
    for name in names:
        result = check(name, {}, seconds)
        if result["code"] == 0:
            print(f"check-model: {name}: no error in {result['states']} states, "
                  f"depth {result['depth']}, {result['seconds']:.0f} s", flush=True)
            continue
        failed = True
        why = result["violated"] or ("out of time" if result["code"] is None else "TLC failed")
        print(f"check-model: {name}: {why}\n{result['output']}", flush=True)
    return failed


def check_errors(names):
    """Each planted error is found."""
    wanted = [error for error in ERRORS if not names or error[0] in names]
    print(f"{'planted error':26}{'within':12}{'violates':30}{'steps':>6}{'states':>10}{'s':>6}")
    failed = False
    for error, base, changes in wanted:
        result = check(base, {"Planted": f'"{error}"', **changes}, 300)
        found = result["violated"]
        failed = failed or not found
        print(f"{error:26}{base:12}{found or 'NOT FOUND':30}{max(0, result['steps'] - 1):6}"
              f"{result['states']:>10}{result['seconds']:6.0f}", flush=True)
        if not found and result["code"] not in (0, None):
            print(result["output"])
    return failed


def main(arguments):
    if not arguments:
        return check_configurations(CHECKED, 600)
    if arguments == ["--large"]:
        return check_configurations(BY_HAND, None)
    if arguments[0] == "--errors":
        return check_errors(arguments[1:])
    if arguments[0] == "--traces":
        import traces
        return traces.check_traces(arguments[1:])
    if arguments[0] == "--one":  # a configuration, and Constant=value pairs
        result = check(arguments[1], dict(pair.split("=", 1) for pair in arguments[2:]), 600)
        print(result["output"])
        return result["code"] != 0
    print(__doc__, file=sys.stderr)
    return True


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
