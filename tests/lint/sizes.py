# SPDX-License-Identifier: Apache-2.0
"""Law 12: function <= 60 lines, cyclomatic <= 15, .c <= 600 lines, header <= 150."""

import os, shutil, subprocess
from source import Breach, Skip

FUNCTION_LINES, CYCLOMATIC = 60, 15
FILE_LINES = {".c": 600, ".h": 150}


def functions(tree, paths):
    """(lines, cyclomatic, path, line, name) of each function."""
    if not paths:
        return []
    done = subprocess.run(
        ["pmccabe", *paths], cwd=tree.root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    found = []
    for row in done.stdout.splitlines():
        columns = row.split("\t")
        if len(columns) == 6 and columns[0].isdigit():
            place, name = columns[5].rsplit(": ", 1)
            found.append((int(columns[4]), int(columns[0]), place.split("(")[0], int(columns[3]), name))
    return found


def check(tree):
    if not shutil.which("pmccabe"):
        raise Skip("pmccabe is not here")
    paths = tree.c_files("user", "bpf", "tests")
    lengths = [(tree.read(path).count("\n"), path) for path in paths]
    breaches = [
        Breach(path, 0, f"{lines} lines, at most {FILE_LINES[os.path.splitext(path)[1]]}")
        for lines, path in lengths
        if lines > FILE_LINES[os.path.splitext(path)[1]]
    ]
    found = functions(tree, paths)
    for lines, cyclomatic, path, line, name in found:
        if lines > FUNCTION_LINES:
            breaches.append(Breach(path, line, f"{name}() has {lines} lines, at most {FUNCTION_LINES}"))
        if cyclomatic > CYCLOMATIC:
            breaches.append(Breach(path, line, f"{name}() has cyclomatic {cyclomatic}, at most {CYCLOMATIC}"))
    return breaches


def notes(tree):
    """The longest, for the eye."""
    paths = tree.c_files("user", "bpf", "tests")
    found = functions(tree, paths)
    if not found:
        return []
    length, most = max(found), max(found, key=lambda f: f[1])
    file = max((tree.read(path).count("\n"), path) for path in paths)
    return [
        f"longest function: {length[4]}(), {length[0]} lines, {length[2]}:{length[3]}",
        f"most branches: {most[4]}(), {most[1]}, {most[2]}:{most[3]}",
        f"longest file: {file[1]}, {file[0]} lines",
    ]
