# SPDX-License-Identifier: Apache-2.0
"""What the tests of Kafka's clients share: one server a module, and a topic a test."""

import itertools

import pytest

from clients import Client
from server import Server

names = itertools.count()


@pytest.fixture(scope="module")
def server(binary, tmp_path_factory):
    """A server for the tests of one module, which it must outlive."""
    server = Server(binary, tmp_path_factory.mktemp("kafka"), {"log.level": "debug"}).start()
    yield server
    assert server.is_running(), f"a test brought the server down:\n{server.log()}"
    assert server.stop() == 0


@pytest.fixture
def make_topic(server):
    """Makes topics of names that nobody has used."""
    channel = server.channel()

    def make(partitions=1, **settings):
        name = f"topic-{next(names)}"
        Client(channel).create(name, partitions, **{"durability": "os", **settings})
        return name

    yield make
    channel.close()


@pytest.fixture
def topic(make_topic):
    """A new topic of one partition."""
    return make_topic()
