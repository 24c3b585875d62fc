# SPDX-License-Identifier: Apache-2.0
"""Law 1: no room includes another room, nothing includes daemon, one public header a room, a library in its place."""

import fnmatch, os
from source import Breach, includes

# What each room may include beside itself. A room that is not named gets the last row.
ROOMS = {"base": [], "model": ["base"], "net": ["base"], "daemon": ["*"], None: ["base", "model", "net"]}
# Rooms that are a shelf of headers, each of them public.
SHELVES = {"base", "model", "net"}
# The headers that kernel side and user side share.
ABI = {name: ["probe", "event", "daemon"] for name in ("bpf/abi.h", "bpf/abi_memory.h")}
# Libraries: header, and the places (rooms or files) that may see it. The C library's own are in LIBC.
LIBRARIES = [
    ("uthash.h", ["*"]),
    ("utlist.h", ["*"]),
    ("xxhash.h", ["*"]),
    ("uv.h", ["net", "event", "spool", "sink", "meta", "daemon"]),
    ("curl/*", ["net"]),
    ("bpf/*", ["probe", "event", "bpf"]),
    ("elf.h", ["probe"]),
    ("gelf.h", ["probe"]),
    ("libelf.h", ["probe"]),
    ("capstone/*", ["probe/disasm.h"]),
    ("sqlite3.h", ["spool"]),
    ("cjson/*", ["sink", "meta"]),
    ("cyaml/*", ["config/file.c"]),
    ("zlib.h", ["proto", "net"]),
    ("brotli/*", ["proto"]),
    ("zstd.h", ["proto", "spool"]),
    ("zstd_errors.h", ["proto"]),
    ("nghttp2/*", ["proto"]),
    ("wslay/*", ["proto"]),
    ("hs/*", ["policy"]),
    ("protobuf-c/*", ["policy", "sink"]),
    ("openssl/*", ["audit", "daemon"]),
    ("microhttpd.h", ["metrics"]),
    ("cap-ng.h", ["daemon"]),
    ("seccomp.h", ["daemon"]),
    ("malloc.h", ["daemon"]),  # glibc's own: malloc_trim()
    ("vmlinux.h", ["bpf"]),
]
LIBC = """alloca arpa/* asm/* assert ctype dirent dlfcn endian errno fcntl float fnmatch glob grp inttypes libgen limits
link linux/* math net/* netdb netinet/* poll pthread pwd sched semaphore setjmp signal stdarg stdatomic stdbool stddef
stdint stdio stdlib string strings sys/* termios time unistd wchar""".split()


def room_of(path):
    parts = path.split(os.sep)
    return parts[0] if parts[0] == "bpf" else parts[1] if len(parts) > 2 else None


def library_breach(room, path, header):
    if any(fnmatch.fnmatch(header, name if "*" in name else name + ".h") for name in LIBC):
        return None
    for pattern, places in LIBRARIES:
        if fnmatch.fnmatch(header, pattern):
            inside = path.split(os.sep, 1)[1]
            return (
                None
                if "*" in places or room in places or inside in places
                else f"<{header}> belongs to {', '.join(places)}"
            )
    return f"<{header}> is a library without a row in tests/lint/layers.py"


def room_breach(tree, room, path, header):
    """A header in quotes: of this room, of a shelf, the ABI, or wrong."""
    folder = header.split("/")[0]
    if "/" not in header:
        return (
            None
            if os.path.join(os.path.dirname(path), header) in tree.paths
            else f'"{header}" is not beside this file: write "room/{header}"'
        )
    if header in ABI:
        return None if room in ABI[header] else f'"{header}" belongs to {", ".join(ABI[header])}'
    if folder == room:
        return None
    if folder == "daemon":
        return "nothing includes daemon"
    allowed = ROOMS.get(room, ROOMS[None])
    if "*" not in allowed and folder not in allowed:
        return f"{room} includes {folder}: rooms meet only in daemon"
    return private_breach(folder, header)


def private_breach(folder, header):
    if folder in SHELVES or header == f"{folder}/{folder}.h":
        return None
    return f'"{header}" is private to {folder}'


def check_user(tree):
    for path in tree.c_files("user"):
        room = room_of(path)
        if room is None:
            yield Breach(path, 0, "a file in no room")
            continue
        for line, quote, header in includes(tree.read(path)):
            text = room_breach(tree, room, path, header) if quote == '"' else library_breach(room, path, header)
            if text:
                yield Breach(path, line, text)


def check_bpf(tree):
    """The kernel side knows itself, vmlinux.h and libbpf's helpers."""
    for path in tree.c_files("bpf"):
        for line, quote, header in includes(tree.read(path)):
            text = library_breach("bpf", path, header) if quote == "<" else None
            if quote == '"' and not any(os.path.join(top, header) in tree.paths for top in ("bpf", "vmlinux", "")):
                text = f'"{header}" is neither of bpf/ nor of vmlinux/'
            if text:
                yield Breach(path, line, text)


def check_tests(tree):
    """A unit test sees its own room's inside, of the others what is public. A fuzz target is handed one part of a room."""
    for path in tree.c_files("tests"):
        parts = path.split(os.sep)
        if parts[1] == "fuzz":
            continue
        own = parts[2] if parts[1] == "unit" and len(parts) > 3 else None
        for line, quote, header in includes(tree.read(path)):
            folder = header.split("/")[0]
            if quote == '"' and "/" in header and folder != own and f"user/{header}" in tree.paths:
                text = private_breach(folder, header)
                if text:
                    yield Breach(path, line, text)


def check_headers(tree):
    rooms = {}
    for path in tree.c_files("user"):
        rooms.setdefault(room_of(path), []).append(os.path.basename(path))
    for room, names in rooms.items():
        if room and room not in SHELVES | {"daemon"} and f"{room}.h" not in names:
            yield Breach(f"user/{room}", 0, f"no public header {room}.h")


def check(tree):
    return [*check_user(tree), *check_bpf(tree), *check_tests(tree), *check_headers(tree)]
