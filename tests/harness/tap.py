# SPDX-License-Identifier: Apache-2.0
"""Test programs: functions that take a Check and are named for what they prove; main() runs them and speaks TAP."""

import contextlib
import inspect
import os
import subprocess
import sys
import time
import traceback

from . import paths, proc


class Skip(Exception):
    """The test cannot be run here; the text says why."""


class Failed(Exception):
    pass


class Check:
    """What a test uses to state what holds. A broken statement is told, and the test goes on to the next one."""

    def __init__(self):
        self.broken, self.notes = [], []

    def that(self, truth, what):
        if not truth:
            self.broken.append(what)
        return truth

    def equal(self, got, wanted, what):
        return self.that(got == wanted, f"{what}: {short(got)} instead of {short(wanted)}")

    def must(self, truth, what):
        """Without this nothing that follows makes sense."""
        if not truth:
            raise Failed(what)

    def note(self, text):
        self.notes.append(text)


def short(value, limit=300):
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


def program(names):
    return names or [os.path.basename(sys.argv[0]).removesuffix(".py")]


class Tap:
    """The lines. A program whose tests are not functions uses it directly."""

    def __init__(self):
        self.count = self.failed = 0

    def line(self, good, name, diagnosis="", skip=None):
        self.count += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}{f' # SKIP {skip}' if skip else ''}")
        for text in diagnosis.splitlines():
            print(f"#   {text}")
        sys.stdout.flush()

    @contextlib.contextmanager
    def whole(self, name):
        """Around all lines of a program: what keeps it from going on is a line as well, and what it started is ended."""
        try:
            yield
        except Skip as skip:
            self.line(True, name, skip=str(skip))
        except (Failed, TimeoutError, RuntimeError, subprocess.SubprocessError) as failure:
            self.line(False, name, str(failure))
        finally:
            proc.end_all()

    def end(self):
        print(f"1..{self.count}", flush=True)
        return 1 if self.failed else 0

    def run(self, name, function, *args):
        check, begun = Check(), time.monotonic()
        try:
            function(check, *args)
        except Skip as skip:
            return self.line(True, name, skip=str(skip))
        except (Failed, TimeoutError) as failure:
            check.broken.append(str(failure))
        except Exception:
            check.broken.append(traceback.format_exc())
        said = check.broken + check.notes
        if said:
            said.append(f"{time.monotonic() - begun:.1f} s")
        return self.line(not check.broken, name, "\n".join(said))


def need_spantap():
    """Skips where it cannot run; a build that is missing is a failure, not a skip."""
    if os.geteuid() != 0:
        raise Skip("needs root")
    if not os.access(paths.SPANTAP, os.X_OK):
        raise Failed(f"no {os.path.relpath(paths.SPANTAP, paths.TOP)}: run make")


def main(module, setup=None):
    """Runs the module's functions test_*, in the order they are written; arguments select by part of the name."""
    sys.stdout.reconfigure(errors="replace")
    tap, chosen = Tap(), sys.argv[1:]
    tests = [
        (n.removeprefix("test_"), f) for n, f in inspect.getmembers(module, inspect.isfunction) if n.startswith("test_")
    ]
    tests.sort(key=lambda pair: pair[1].__code__.co_firstlineno)
    with tap.whole(program(chosen)[0]):
        if setup:
            setup()
        for name, function in tests:
            if not chosen or any(c in name for c in chosen):
                tap.run(name, function)
    sys.exit(tap.end())
