# SPDX-License-Identifier: Apache-2.0
"""Processes that cannot outlive the test, and waiting for what will happen instead of sleeping."""

import atexit
import ctypes
import importlib.util
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from . import paths

_running, _directories = [], []
_libc = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1


def need_packages(*names):
    """Goes on under the Python of the clients, where this one lacks one of them."""
    if sys.executable != paths.CLIENT_PYTHON and not all(importlib.util.find_spec(name) for name in names):
        os.execv(paths.CLIENT_PYTHON, [paths.CLIENT_PYTHON, os.path.abspath(sys.argv[0]), *sys.argv[1:]])


def wait_for(what, truth, timeout=20.0, every=0.05):
    """Calls truth() until it returns something true, which is returned; TimeoutError names @what."""
    until = time.monotonic() + timeout
    while True:
        value = truth()
        if value:
            return value
        if time.monotonic() > until:
            raise TimeoutError(f"{what}: not within {timeout:g} s")
        time.sleep(every)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def scratch(name):
    """A directory below the build folder; removed when the program ends, kept when KEEP is set."""
    base = os.path.join(paths.BUILD, "test", "tmp")
    os.makedirs(base, exist_ok=True)
    if not _directories:
        sweep(base)
    directory = tempfile.mkdtemp(prefix=f"{name}-{os.getpid()}-", dir=base)
    _directories.append(directory)
    return directory


def sweep(base):
    """Removes what killed programs left behind."""
    for name in os.listdir(base):
        parts = name.split("-")
        if len(parts) >= 3 and parts[-2].isdigit() and not os.path.exists(f"/proc/{parts[-2]}"):
            shutil.rmtree(os.path.join(base, name), ignore_errors=True)


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


# A leader of its group that lives as long as the command, and when this program dies takes the whole group with it: the
# kernel's death signal reaches children only, and servers have children of their own.
GUARD = """
import os, signal, subprocess, sys
signal.signal(signal.SIGHUP, lambda *_: os.killpg(0, signal.SIGKILL))
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda *_: None)
sys.exit(subprocess.Popen(sys.argv[1:]).wait())
"""


def _die_with_parent_by_hangup():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGHUP)


class Process:
    """A child in a process group of its own; its output goes to a file that diagnoses can quote."""

    def __init__(
        self,
        command,
        name=None,
        env=None,
        stdout=None,
        stdin=subprocess.DEVNULL,
        log=None,
        cwd=None,
        pass_fds=(),
        guard=False,
    ):
        self.name = name or os.path.basename(command[0])
        self.log_path = log or os.path.join(scratch(self.name), "log")
        self.log_file = open(self.log_path, "ab")
        self.popen = subprocess.Popen(
            [sys.executable, "-c", GUARD, *command] if guard else command,
            env=env,
            stdin=stdin,
            stdout=stdout or self.log_file,
            stderr=self.log_file,
            cwd=cwd,
            pass_fds=pass_fds,
            start_new_session=True,
            preexec_fn=_die_with_parent_by_hangup if guard else _die_with_parent,
        )
        self.pid = self.popen.pid
        _running.append(self)

    def log(self, last=4000):
        with open(self.log_path, "rb") as f:
            return f.read().decode(errors="replace")[-last:]

    def running(self):
        return self.popen.poll() is None

    def send(self, number):
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            pass

    def wait(self, timeout=30.0):
        """The exit status, as the shell counts it for signals; a child that hangs is killed and is a TimeoutError."""
        try:
            status = self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            self.send(signal.SIGKILL)
            self.popen.wait()
            self.forget()
            raise TimeoutError(f"{self.name} has not ended within {timeout:g} s\n{self.log()}") from None
        self.forget()
        return 128 - status if status < 0 else status

    def stop(self, number=signal.SIGTERM, timeout=30.0):
        if self.running():
            self.send(number)
        return self.wait(timeout)

    def forget(self):
        if self in _running:
            _running.remove(self)
        self.log_file.close()


def end_all():
    for process in list(_running):
        process.send(signal.SIGKILL)
        try:
            process.popen.wait(10)
        except subprocess.TimeoutExpired:
            pass
        process.forget()
    if not os.environ.get("KEEP"):
        for directory in _directories:
            shutil.rmtree(directory, ignore_errors=True)
        _directories.clear()


atexit.register(end_all)
signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))


def read_line(fd, timeout, what):
    """One line from a pipe, within a time."""
    text, until = b"", time.monotonic() + timeout
    while not text.endswith(b"\n"):
        left = until - time.monotonic()
        if left <= 0 or not select.select([fd], [], [], left)[0]:
            raise TimeoutError(f"{what}: no line within {timeout:g} s")
        byte = os.read(fd, 1)
        if not byte:
            raise EOFError(f"{what}: ended without a line")
        text += byte
    return text.decode().strip()
