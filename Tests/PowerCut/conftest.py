# SPDX-License-Identifier: Apache-2.0
"""What the tests of power cuts share. CORDWOOD_BIN names the program; the debug build otherwise.

Without root, loop devices or a program that they need, all of them are skipped for one reason.
"""

import itertools
import os
import pathlib
import random
import shutil
import sys
import tempfile

import pytest

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "Interop")]

import disks  # noqa: E402

SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(2**32)))


def pytest_collection_modifyitems(items):
    with tempfile.TemporaryDirectory(prefix="cordwood-power-") as scratch:
        reason = disks.missing(scratch)
    faults = reason or disks.missing_faults()
    for item in items:
        why = faults if "faulty_disk" in item.fixturenames else reason
        if why:
            item.add_marker(pytest.mark.skip(reason=why))


@pytest.fixture
def chance(request):
    """Each test draws its own numbers, whichever others run."""
    print(f"SEED={SEED}")
    return random.Random(f"{SEED} {request.node.name}")


@pytest.fixture(scope="session")
def binary():
    from clients import ROOT
    path = pathlib.Path(os.environ.get("CORDWOOD_BIN", ROOT / ".build/debug/cordwood")).resolve()
    assert path.exists(), f"{path} is missing: swift build --product cordwood"
    return path


@pytest.fixture
def disk(tmp_path):
    disk = disks.Disk(tmp_path / "disk")
    yield disk
    disk.close()


@pytest.fixture
def faulty_disk(tmp_path):
    disk = disks.FaultyDisk(tmp_path / "disk")
    yield disk
    disk.close()


@pytest.fixture
def make_server(binary, tmp_path):
    """Makes servers with their data on a disk. They are gone before the disk is closed, so tests
    ask for the disk first."""
    from server import Server
    servers, numbers = [], itertools.count()

    def make(disk, settings=None):
        server = Server(binary, tmp_path / f"server-{next(numbers)}",
                        {"data_dir": disk.path / "data", **(settings or {})})
        servers.append(server)
        return server.start()

    yield make
    for server in servers:
        server.kill()
        shutil.rmtree(server.directory, ignore_errors=True)
