# SPDX-License-Identifier: Apache-2.0
"""File systems that can be harmed: ext4 on a loop device over a file, whose power can be cut, and
the same over a device that fails or stalls when it is told to.

    Disk         image ─▶ loop ─▶ ext4
    FaultyDisk   image ─▶ nbdkit: error, pause ─▶ nbdfuse ─▶ loop ─▶ ext4, its journal on a loop apart
"""

import contextlib
import fcntl
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

SIZE = 1 << 30
# ext4's shutdown, _IOR('X', 125, __u32): nothing goes to the device any more.
SHUTDOWN = 0x8004587D
# With what was in the journal's memory written, or without.
LOGFLUSH, NOLOGFLUSH = 1, 2


def run(*command, check=True):
    result = subprocess.run(
        [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True)
    if check and result.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: {result.stdout.strip()}")
    return result.stdout.strip()


def eventually(condition, within, what):
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come to hold in {within} s"
        time.sleep(0.005)


class Disk:
    """An ext4 file system. `mount` and `unmount` alternate; `close` ends it, whatever its state."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True)
        self.path = self.directory / "mounted"
        self.path.mkdir()
        self.is_mounted = False
        self.undo = contextlib.ExitStack()
        self.undo.callback(shutil.rmtree, self.directory, ignore_errors=True)
        try:
            self.format()
        except BaseException:
            self.close()
            raise
        self.mount()

    def format(self):
        self.device = self.attach(self.image("image"))
        run("mkfs.ext4", "-q", "-N", "8192", "-E", "lazy_itable_init=0", self.device)

    def image(self, name, size=SIZE):
        path = self.directory / name
        with open(path, "wb") as file:
            file.truncate(size)
        return path

    def attach(self, path):
        device = run("losetup", "--find", "--show", path)
        self.undo.callback(run, "losetup", "--detach", device, check=False)
        return device

    def mount(self):
        run("mount", "-t", "ext4", self.device, self.path)
        self.is_mounted = True

    def unmount(self):
        """Needs every file on it to be closed; a process that died may take a moment to."""
        deadline = time.monotonic() + 10
        while True:
            try:
                run("umount", self.path)
                break
            except AssertionError:
                if time.monotonic() > deadline:
                    run("umount", "--lazy", self.path, check=False)
                    self.is_mounted = False
                    raise
                time.sleep(0.02)
        self.is_mounted = False

    def cut(self, flag=NOLOGFLUSH):
        """Cuts the power: what was not on the device never gets there."""
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(descriptor, SHUTDOWN, struct.pack("I", flag))
        finally:
            os.close(descriptor)

    def remount(self):
        """What the next start of the machine finds: the page cache is gone, the journal replayed."""
        self.unmount()
        self.mount()

    def close(self):
        try:
            if self.is_mounted:
                self.unmount()
        finally:
            self.undo.close()


class FaultyDisk(Disk):
    """A disk whose writes fail, or which does nothing at all, for as long as it is told to.

    Its journal is on a device that never fails: an ext4 that cannot write its journal is read-only
    from then on, and shows nobody how a log deals with the pages it could not write.
    """

    def format(self):
        self.trigger = self.directory / "errors"
        self.control = self.directory / "pause"
        journal = self.attach(self.image("journal", 32 << 20))
        run("mkfs.ext4", "-q", "-F", "-O", "journal_dev", "-b", "4096", journal)
        self.device = self.attach(self.serve(self.image("image")))
        run("mkfs.ext4", "-q", "-b", "4096", "-J", f"device={journal}",
            "-N", "8192", "-E", "lazy_itable_init=0", self.device)

    def serve(self, image):
        address = self.directory / "nbd"
        self.spawn("nbdkit", "--foreground", "--unix", address, "--filter=pause", "--filter=error",
                   "file", image, "error=EIO", "error-pwrite-rate=100%",
                   f"error-file={self.trigger}", f"pause-control={self.control}")
        eventually(address.is_socket, 10, "nbdkit's socket")
        folder = self.directory / "fuse"
        folder.mkdir()
        self.undo.callback(run, "umount", folder, check=False)
        self.spawn("nbdfuse", folder / "device", "--unix", address)
        device = folder / "device"
        eventually(lambda: device.exists() and device.stat().st_size == SIZE, 10, "nbdfuse's file")
        return device

    def spawn(self, *command):
        """A program that ends with this one, however that ends."""
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *map(str, command)], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.undo.callback(end, process)

    def fail(self):
        """From now on every write fails with EIO."""
        self.trigger.touch()

    def pause(self):
        """From now on every request waits; returns when those under way are done."""
        self.tell(b"p", b"P")

    def resume(self):
        self.tell(b"r", b"R")

    def tell(self, order, answer):
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(10)
            control.connect(str(self.control))
            control.sendall(order)
            assert control.recv(1) == answer

    def heal(self):
        self.trigger.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.resume()

    def close(self):
        # Nothing can be closed over a device that fails or waits.
        self.heal()
        super().close()


def end(process):
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def sweep(folder):
    """Takes away what a run that was killed left behind below a folder: programs that work there,
    mounts and loop devices. Returns what there was."""
    found = []
    for process in pathlib.Path("/proc").glob("[1-9]*"):
        try:
            arguments = (process / "cmdline").read_text().split("\0")
        except OSError:
            continue  # It has ended since.
        # A device that stands still must end before what is above it can.
        if arguments[0] in ("nbdkit", "nbdfuse") and any(folder in part for part in arguments):
            found.append(f"{arguments[0]} {process.name}")
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(process.name), signal.SIGKILL)
    # Once its image is out of reach a device no longer says where that was.
    listed = run("losetup", "--list", "--noheadings", "--output", "NAME,BACK-FILE", check=False)
    devices = [line.split()[0] for line in listed.splitlines() if f"{folder}/" in line]
    mounts = [line.split()[1].encode().decode("unicode_escape")
              for line in pathlib.Path("/proc/mounts").read_text().splitlines()]
    for path in reversed(mounts):
        if path.startswith(f"{folder}/"):
            found.append(path)
            run("umount", "--lazy", path, check=False)
    for device in devices:
        found.append(device)
        run("losetup", "--detach", device, check=False)
    return found


def missing(directory):
    """Why no power can be cut here, in a few words; None if it can."""
    if os.geteuid() != 0:
        return "not root"
    for program in ["losetup", "mkfs.ext4", "mount", "setpriv"]:
        if shutil.which(program) is None:
            return f"{program} is missing"
    try:
        disk = Disk(pathlib.Path(directory) / "probe")
        try:
            (disk.path / "file").write_bytes(b"written")
            disk.cut()
            disk.remount()
            if (disk.path / "file").exists():
                return "ext4's shutdown kept what was not synced"
        finally:
            disk.close()
    except (AssertionError, OSError) as error:
        return f"no ext4 on a loop device: {str(error).splitlines()[0]}"
    return None


def missing_faults():
    """Why no device can be made to fail here; None if it can."""
    for program in ["nbdkit", "nbdfuse"]:
        if shutil.which(program) is None:
            return f"{program} is missing"
    if not os.path.exists("/dev/fuse"):
        return "no /dev/fuse"
    return None


if __name__ == "__main__":
    # For scripts/power-cut: what is missing, or what a run left behind.
    if sys.argv[1] == "missing":
        print(missing(sys.argv[2]) or "")
    elif sys.argv[1] == "sweep":
        left = sweep(sys.argv[2])
        if left:
            sys.exit(f"left behind: {' '.join(left)}")
