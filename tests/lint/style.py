# SPDX-License-Identifier: Apache-2.0
"""clang-format, version 14: another version formats otherwise, so it is not asked."""

import re, shutil, subprocess
from source import Breach, Skip

COMPLAINT = re.compile(r"^(.+?):(\d+):\d+: (?:error|warning): code should be clang-formatted")


def program():
    for name in ("clang-format-14", "clang-format"):
        if shutil.which(name):
            version = subprocess.run([name, "--version"], stdout=subprocess.PIPE, text=True).stdout
            if " version 14." in version:
                return name
    raise Skip("clang-format 14 is not here")


def check(tree):
    name, paths = program(), tree.c_files("user", "bpf", "tests")
    if not paths:
        return []
    done = subprocess.run([name, "--dry-run", "--style=file", *paths], cwd=tree.root, stderr=subprocess.PIPE, text=True)
    first = {}
    for line in done.stderr.splitlines():
        found = COMPLAINT.match(line)
        if found:
            lines = first.setdefault(found[1], [])
            lines.append(int(found[2]))
    return [
        Breach(path, lines[0], f"not as clang-format 14 writes it ({len(lines)} places): {name} -i {path}")
        for path, lines in first.items()
    ]
