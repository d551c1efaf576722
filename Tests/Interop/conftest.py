# SPDX-License-Identifier: Apache-2.0
"""What the interop tests share. CORDWOOD_BIN names the program; the debug build otherwise."""

import itertools
import os
import pathlib
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from clients import Client, ROOT  # noqa: E402
from server import Server  # noqa: E402

names = itertools.count()


def pytest_configure(config):
    # kafka-python reads its schemas in a way that Python will give up one day.
    config.addinivalue_line("filterwarnings", "ignore:(read|open)_text is deprecated")


@pytest.fixture(scope="session")
def binary():
    path = pathlib.Path(os.environ.get("CORDWOOD_BIN", ROOT / ".build/debug/cordwood")).resolve()
    assert path.exists(), f"{path} is missing: swift build --product cordwood"
    return path


@pytest.fixture(scope="session")
def shared(binary, tmp_path_factory):
    """A server for tests that do no harm to it; it must outlive them all."""
    server = Server(binary, tmp_path_factory.mktemp("shared")).start()
    yield server
    assert server.is_running(), f"a test brought the server down:\n{server.log()}"
    assert server.stop() == 0


@pytest.fixture
def client(shared):
    channel = shared.channel()
    yield Client(channel)
    channel.close()


@pytest.fixture
def topic(client):
    """A new topic of one partition."""
    return client.create(f"topic-{next(names)}").name


@pytest.fixture
def make_server(binary, tmp_path):
    """Starts servers that are the test's own."""
    servers = []

    def make(settings=None, descriptors=None, name=None):
        directory = tmp_path / (name or f"server-{len(servers)}")
        server = Server(binary, directory, settings, descriptors)
        servers.append(server)
        return server.start()

    yield make
    for server in servers:
        server.kill()
        shutil.rmtree(server.directory, ignore_errors=True)
