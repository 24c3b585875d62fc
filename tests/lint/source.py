# SPDX-License-Identifier: Apache-2.0
"""The tree under lint: its files, and C text with strings and comments told apart."""

import os, re

SKIPPED = {".git", "build", "__pycache__", "node_modules", ".venv"}
TOKEN = re.compile(r'/\*.*?(?:\*/|\Z)|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.M)


class Skip(Exception):
    """The lint cannot run here; the text says why."""


class Breach:
    def __init__(self, path, line, text):
        self.path, self.line, self.text = path, line, text

    def __str__(self):
        return f"{self.path}:{self.line}: {self.text}" if self.line else f"{self.path}: {self.text}"


class Tree:
    def __init__(self, root, objects=None):
        self.root, self.objects = os.path.abspath(root), objects and os.path.abspath(objects)
        self.paths = sorted(self._walk())

    def _walk(self):
        for folder, folders, names in os.walk(self.root):
            folders[:] = [f for f in folders if f not in SKIPPED]
            for name in names:
                path = os.path.join(folder, name)
                if os.path.isfile(path) and not os.path.islink(path):
                    yield os.path.relpath(path, self.root)

    def read(self, path):
        with open(os.path.join(self.root, path), "rb") as file:
            return file.read().decode("utf-8", "replace")

    def is_binary(self, path):
        with open(os.path.join(self.root, path), "rb") as file:
            return b"\0" in file.read(4096)

    def c_files(self, *tops, ends=(".c", ".h")):
        return [p for p in self.paths if p.split(os.sep)[0] in tops and p.endswith(ends)]


def blank(text):
    """As many lines and columns, nothing to see."""
    return re.sub(r"[^\n]", " ", text)


def c_code(text, keep_strings=False):
    """Text without comments, and without the inside of strings."""

    def replace(found):
        token = found[0]
        if token[0] == "/" or not keep_strings:
            return blank(token)
        return token

    return TOKEN.sub(replace, text)


def line_comments(text):
    """Lines that hold a // comment."""
    return [line_of(text, found.start()) for found in TOKEN.finditer(text) if found[0].startswith("//")]


def includes(text):
    """(line, quote, header) of each #include."""
    return [(line_of(text, f.start(2)), f[1], f[2]) for f in INCLUDE.finditer(c_code(text, keep_strings=True))]


def line_of(text, at):
    return text.count("\n", 0, at) + 1
