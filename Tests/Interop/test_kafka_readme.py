# SPDX-License-Identifier: Apache-2.0
"""What the README shows of Kafka's clients happens, word for word but for the port."""

import re
import subprocess
import sys

from clients import ROOT
from kafka_clients import SECONDS
from kafka_fixtures import server  # noqa: F401


def blocks(server):
    """The code of the section, by language."""
    text = (ROOT / "README.md").read_text()
    section = re.search(r"^## Kafka's clients\n(.*?)^## ", text, re.S | re.M).group(1)
    assert "127.0.0.1:9092" in section
    section = section.replace("127.0.0.1:9092", server.kafka)
    return dict(re.findall(r"^```(\w*)\n(.*?)^```", section, re.S | re.M))


def test_the_commands_and_the_program_do_as_the_readme_says(server):
    shown = blocks(server)
    for command, output in re.findall(r"^\$ (.*)\n((?:[^$].*\n)*)", shown[""], re.M):
        result = subprocess.run(["bash", "-c", command], capture_output=True, text=True,
                                timeout=SECONDS)
        assert (result.returncode, result.stdout) == (0, output), result.stderr
    result = subprocess.run([sys.executable, "-c", shown["python"]], capture_output=True, text=True,
                            timeout=2 * SECONDS)
    assert result.returncode == 0, result.stderr
    assert result.stdout == "0 created\n1 paid\n"
