# SPDX-License-Identifier: Apache-2.0
"""Law 2: pure rooms take time, memory and limits as arguments: seen in includes and in what objects need."""

import fnmatch, glob, os, subprocess
from source import Breach, Skip, includes

PURE = ["stream", "proto", "call", "dialect", "cost", "trace", "policy"]
# Of the C library: what computes, and nothing that asks the system or keeps state.
HEADERS = """assert ctype errno float inttypes limits math stdarg stdbool stddef stdint stdio stdlib string
             strings""".split()
LIBRARIES = {
    "*": ["uthash.h", "utlist.h", "xxhash.h", "protobuf-c/*"],
    "proto": ["zlib.h", "brotli/*", "zstd.h", "zstd_errors.h", "nghttp2/*", "wslay/*"],
    "policy": ["hs/*"],
}
IMPURE_HEADERS = ["base/log.h", "net/*"]

SYMBOLS = {
    "*": """mem* str* __mem*_chk __str*_chk snprintf __snprintf_chk vsnprintf __vsnprintf_chk __stack_chk_fail
         __assert_fail __ctype_b_loc __ctype_tolower_loc __ctype_toupper_loc __errno_location tolower toupper isalnum
         isdigit isxdigit bcmp qsort bsearch abs labs floor floorf ceil round trunc lround llround ldexp frexp pow fmod
         log log10 exp sqrt isnan isinf __isoc99_sscanf
         _GLOBAL_OFFSET_TABLE_ __start_* __stop_* XXH* protobuf_c_*""".split(),
    "proto": "inflate* deflate* crc32* zError BrotliDecoder* ZSTD_* nghttp2_hd_* wslay_*".split(),
    "policy": "hs_*".split(),
}
# Match the patterns above, and are refused all the same.
REFUSED = "strdup strndup strerror strerror_r strtok strsignal memfd_create".split()
# Base and model may be called, but for what logs or takes memory by itself.
IMPURE_OURS = "log_*".split()


def matches(name, patterns):
    return any(fnmatch.fnmatchcase(name, p) for p in patterns)


def check_includes(tree):
    for path in tree.c_files("user"):
        room = path.split(os.sep)[1]
        if room not in PURE:
            continue
        for line, quote, header in includes(tree.read(path)):
            if quote == "<":
                allowed = [h + ".h" for h in HEADERS] + LIBRARIES["*"] + LIBRARIES.get(room, [])
                if not matches(header, allowed):
                    yield Breach(path, line, f"<{header}> in a pure room")
            elif matches(header, IMPURE_HEADERS):
                yield Breach(path, line, f'"{header}" in a pure room')


def nm(option, paths):
    """{object: [symbol]}; option -u: needed, --defined-only: given."""
    done = subprocess.run(["nm", "-A", option, *paths], stdout=subprocess.PIPE, text=True, check=True)
    symbols = {}
    for line in done.stdout.splitlines():
        path, rest = line.split(":", 1)
        symbols.setdefault(path, []).append(rest.split()[-1].split("@")[0])
    return symbols


def objects_of(tree, rooms):
    return [path for room in rooms for path in sorted(glob.glob(os.path.join(tree.objects, room, "*.o")))]


def check_symbols(tree, room):
    objects = objects_of(tree, [room])
    if not objects:
        return
    ours = {s for group in nm("--defined-only", objects + objects_of(tree, ["base", "model"])).values() for s in group}
    ours = {s for s in ours if not matches(s, IMPURE_OURS)}
    for path, symbols in sorted(nm("-u", objects).items()):
        for symbol in symbols:
            allowed = symbol in ours or matches(symbol, SYMBOLS["*"] + SYMBOLS.get(room, []))
            if not allowed or symbol in REFUSED:
                yield Breach(os.path.relpath(path, tree.objects), 0, f"needs {symbol}: a pure room must not")


def check_globals(tree, room):
    """Writable data: sections .data and .bss. Constant tables with pointers are in .data.rel.ro, which is none."""
    for path in objects_of(tree, [room]):
        done = subprocess.run(["size", "-A", "-d", path], stdout=subprocess.PIPE, text=True, check=True)
        for line in done.stdout.splitlines():
            words = line.split()
            name = words[0] if len(words) == 3 else ""
            writable = name in (".data", ".bss", ".tdata", ".tbss") or name.startswith((".data.", ".bss."))
            if writable and not name.startswith(".data.rel.ro") and int(words[1]):
                yield Breach(os.path.relpath(path, tree.objects), 0, f"{words[1]} bytes of global state in {name}")


def check(tree):
    breaches = list(check_includes(tree))
    if tree.objects and objects_of(tree, PURE):
        for room in PURE:
            breaches += [*check_symbols(tree, room), *check_globals(tree, room)]
    elif not breaches:
        raise Skip("no objects of pure rooms: build first, and say --objects build/obj")
    return breaches
