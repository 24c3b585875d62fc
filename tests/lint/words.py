# SPDX-License-Identifier: Apache-2.0
"""What stands in the text: the licence line, and what must not be there."""

import os, re
from source import Breach, c_code, line_comments, line_of

LICENCE = re.compile(r"SPDX-License-Identifier: (Apache-2\.0|GPL-2\.0-only OR BSD-2-Clause|MIT)\b")
# No comments in these, or not ours to mark.
UNMARKED = (".json", ".jsonl", ".rec", ".ndjson", ".sse", ".txt", ".golden", ".pem", ".lock", ".svg")
UNMARKED_NAMES = {"LICENSE", "NOTICE"}

BANNED = {
    "strcpy": "snprintf",
    "strcat": "struct buf",
    "sprintf": "snprintf",
    "vsprintf": "vsnprintf",
    "strtok": "slice_cut()",
    "atoi": "a parser that can fail",
    "atol": "a parser that can fail",
    "gets": "fgets",
    "alloca": "an arena",
}
BANNED_CALL = re.compile(r"\b(" + "|".join(BANNED) + r")\s*\(")

# Built from pieces, so that this file does not hold what it looks for.
HOSTS = [
    ".".join(parts)
    for parts in [
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("registry", "yarnpkg", "com"),
        ("crates", "io"),
        ("proxy", "golang", "org"),
        ("sum", "golang", "org"),
        ("rubygems", "org"),
        ("repo1", "maven", "org"),
        ("deb", "debian", "org"),
        ("security", "debian", "org"),
        ("archive", "ubuntu", "com"),
        ("registry-1", "docker", "io"),
        ("index", "docker", "io"),
        ("huggingface", "co/api/models"),
    ]
]
# A path of one machine begins there; /proc/PID/root/... does not.
FORBIDDEN = re.compile(r"(?<![\w%)}>.*\]/$-])/(?:work|farm|root)/|" + "|".join(re.escape(h) for h in HOSTS))


def check_licence(tree):
    breaches = []
    for path in tree.paths:
        if path.startswith("tests/fuzz/corpus/") or path.endswith(UNMARKED) or os.path.basename(path) in UNMARKED_NAMES or tree.is_binary(path):
            continue
        head = tree.read(path).split("\n", 3)[:3]
        if not any(LICENCE.search(line) for line in head):
            breaches.append(Breach(path, 1, "no SPDX line at the top"))
    return breaches


def check_banned(tree):
    breaches = []
    for path in tree.c_files("user", "bpf", "tests"):
        code = c_code(tree.read(path))
        for found in BANNED_CALL.finditer(code):
            breaches.append(Breach(path, line_of(code, found.start()), f"{found[1]}(): use {BANNED[found[1]]}"))
    return breaches


def check_comments(tree):
    return [
        Breach(path, line, "a // comment: write /* */")
        for path in tree.c_files("user", "bpf", "tests", "vmlinux")
        for line in line_comments(tree.read(path))
    ]


def check_forbidden(tree):
    breaches = []
    for path in tree.paths:
        if tree.is_binary(path):
            continue
        text = tree.read(path)
        for found in FORBIDDEN.finditer(text):
            breaches.append(Breach(path, line_of(text, found.start()), f"'{found[0]}' must not be in the project"))
    return breaches
