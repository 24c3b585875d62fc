#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each lint is shown a breach that it must see, and the nearest thing that is none, in a copy of the tree."""

import os, shutil, subprocess, sys, tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)
import layers, purity, sizes, source, style, words

C = "/* SPDX-License-Identifier: Apache-2.0 */\n"


def function(lines):
    """A function of so many lines."""
    return C + "int planted(void)\n{\n" + "\tplanted();\n" * (lines - 4) + "\treturn 0;\n}\n"


def branches(count):
    return C + "int planted(int a)\n{\n" + "\tif (a)\n\t\ta--;\n" * (count - 1) + "\treturn a;\n}\n"


def include(header):
    return f"{C}#include {header}\n"


# (lint, what it is, planted file, its text, a part of the complaint or None when there must be none)
SOURCES = [
    (
        layers.check,
        "a room that includes another",
        "user/trace/planted.c",
        include('"call/call.h"'),
        "rooms meet only in",
    ),
    (
        layers.check,
        "base that includes a room above",
        "user/base/planted.c",
        include('"model/call.h"'),
        "rooms meet only in",
    ),
    (
        layers.check,
        "a room that includes daemon",
        "user/sink/planted.h",
        include('"daemon/planted.h"'),
        "nothing includes",
    ),
    (
        layers.check,
        "daemon in a room's inside",
        "user/daemon/planted.c",
        include('"proto/http1.h"'),
        "private to proto",
    ),
    (
        layers.check,
        "a test in another room's inside",
        "tests/unit/call/planted_test.c",
        include('"config/option.h"'),
        "private",
    ),
    (layers.check, "a library out of its place", "user/call/planted.c", include("<curl/curl.h>"), "belongs to net"),
    (layers.check, "a library that nobody knows", "user/sink/planted.c", include("<strange.h>"), "without a row"),
    (layers.check, "a room without a public header", "user/planted/inside.c", C, "no public header planted.h"),
    (layers.check, "a file in no room", "user/planted.c", C, "a file in no room"),
    (
        layers.check,
        "the kernel side that includes the other",
        "bpf/planted.bpf.c",
        include('"model/call.h"'),
        "neither of",
    ),
    (
        layers.check,
        None,
        "user/trace/planted.c",
        include('"trace/trace.h"') + '#include "base/buf.h"\n#include <string.h>\n/* #include "call/call.h" */\n',
        None,
    ),
    (
        layers.check,
        None,
        "tests/unit/config/planted_test.c",
        include('"config/option.h"') + '#include "call/call.h"\n',
        None,
    ),
    (purity.check, "a system header in a pure room", "user/call/planted.c", include("<unistd.h>"), "in a pure room"),
    (purity.check, "the log in a pure room", "user/dialect/planted.c", include('"base/log.h"'), "in a pure room"),
    (purity.check, None, "user/proto/planted.c", include("<zlib.h>") + "#include <string.h>\n", None),
    (sizes.check, "a function of 61 lines", "user/call/planted.c", function(61), "planted() has 61 lines"),
    (sizes.check, None, "user/call/planted.c", function(60), None),
    (sizes.check, "a function of 16 ways", "bpf/planted.bpf.c", branches(16), "planted() has cyclomatic 16"),
    (sizes.check, None, "bpf/planted.bpf.c", branches(15), None),
    (sizes.check, "a file of 601 lines", "tests/unit/call/planted.c", C + "\n" * 600, "601 lines"),
    (sizes.check, None, "tests/unit/call/planted.c", C + "\n" * 599, None),
    (sizes.check, "a header of 151 lines", "user/call/planted.h", C + "\n" * 150, "151 lines"),
    (sizes.check, None, "user/call/planted.h", C + "\n" * 149, None),
    (words.check_licence, "a file without licence", "deploy/planted.sh", "#!/bin/sh\necho\n", "no SPDX line"),
    (words.check_licence, "a licence that is not ours", "planted.c", C.replace("Apache-2.0", "WTFPL"), "no SPDX line"),
    (words.check_licence, None, "deploy/planted.sh", "#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\n", None),
    (words.check_licence, None, "tests/planted.bin", "\0\1", None),
    (
        words.check_banned,
        None,
        "user/call/planted.c",
        C + 'strtok_r(a, b, c);\nmy_atoi(1);\n/* gets(a) */\nf("atoi(1)");\n',
        None,
    ),
    (words.check_comments, "a // comment", "user/call/planted.h", C + "int a; // why\n", "a // comment"),
    (words.check_comments, None, "user/call/planted.h", C + 'f("http://h/", \'"\', "//"); /* // */\n', None),
    (words.check_forbidden, "a machine's path", "tests/planted.py", "open('" + "/wo" + "rk/main')\n", "must not be"),
    (words.check_forbidden, "a home of root", "deploy/planted.sh", "cd " + "/ro" + "ot/x\n", "must not be"),
    (
        words.check_forbidden,
        "a registry's host",
        "tests/planted.sh",
        "curl https://py" + "pi.org/simple\n",
        "must not be",
    ),
    (
        words.check_forbidden,
        None,
        "user/probe/planted.c",
        C + 'f("/proc/%d/root/etc", "/proc/self/root/a", "/x/work/");\n',
        None,
    ),
    (
        style.check,
        "C as clang-format does not write it",
        "user/call/planted.c",
        C + "int  planted( void ) {return 0;}\n",
        "not as",
    ),
    (style.check, None, "user/call/planted.c", function(8), None),
] + [
    (words.check_banned, f"a call of {name}()", "user/call/planted.c", f"{C}x = {name} (a);\n", f"{name}(): use")
    for name in words.BANNED
]

# The same for objects of pure rooms: C text that is compiled.
OBJECTS = [
    ("memory taken by itself", "void *malloc(unsigned long); void *f(void) { return malloc(3); }", "needs malloc"),
    ("a clock", "long time(long *); long f(void) { return time(0); }", "needs time"),
    ("a system call", "long syscall(long); long f(void) { return syscall(1); }", "needs syscall"),
    ("a log line", "int log_write(int); int f(void) { return log_write(1); }", "needs log_write"),
    ("a hidden malloc", "char *strdup(const char *); char *f(char *a) { return strdup(a); }", "needs strdup"),
    ("a global", "int f(void) { static int calls; return ++calls; }", "global state in .bss"),
    ("a global with a value", "int calls = 7;", "global state in .data"),
    (
        None,
        'int memcmp(); const char *const names[] = { "a", 0 }; int f(char *a) { return memcmp(a, names[0], 9); }',
        None,
    ),
]


def plant(root, path, text):
    full = os.path.join(root, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "w", encoding="utf-8") as file:
        file.write(text)
    return full


def about(breaches, path):
    """What is said of the planted file, or of its folder."""
    return [str(b) for b in breaches if b.path in (path, os.path.dirname(path)) or b.path.endswith("planted.o")]


def verdict(said, expected):
    return any(expected in text for text in said) if expected else not said


def source_case(root, case):
    check, _, path, text, expected = case
    had = os.path.exists(os.path.join(root, os.path.dirname(path)))
    full = plant(root, path, text)
    try:
        said = about(check(source.Tree(root)), path)
    except source.Skip as why:
        said = []
        if check is not purity.check:  # which skips the objects, not the sources
            os.remove(full)
            return None, why
    os.remove(full)
    if not had:
        shutil.rmtree(os.path.dirname(full))
    return verdict(said, expected), said


def object_case(root, text, expected):
    with tempfile.TemporaryDirectory() as objects:
        os.makedirs(os.path.join(objects, "proto"))
        built = os.path.join(objects, "proto", "planted.o")
        subprocess.run(["gcc", "-xc", "-w", "-O1", "-fPIE", "-c", "-o", built, "-"], input=text, text=True, check=True)
        said = about(purity.check(source.Tree(root, objects)), "proto/planted.o")
    return verdict(said, expected), said


def whole_run(root):
    """The program itself: one "not ok" and status 1 for a breach, none and 0 after it is gone."""
    full = plant(root, "user/call/planted.h", C + "int a; // why\n")
    command = [os.path.join(root, "tests/lint/run"), "--root", root, "--only", "comments"]
    bad = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    os.remove(full)
    good = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    told = "\nnot ok 1 - comments" in bad.stdout and "# user/call/planted.h:2: " in bad.stdout
    quiet = "\nok 1 - comments" in good.stdout and good.returncode == 0
    return told and bad.returncode == 1 and quiet, [bad.stdout, good.stdout]


def copy_tree(root):
    for top in ("user", "bpf", "vmlinux", "tests/lint", "tests/unit"):
        if os.path.isdir(os.path.join(ROOT, top)):
            shutil.copytree(
                os.path.join(ROOT, top), os.path.join(root, top), ignore=shutil.ignore_patterns("__pycache__")
            )
    shutil.copy(os.path.join(ROOT, ".clang-format"), root)


def main():
    with tempfile.TemporaryDirectory() as root:
        copy_tree(root)
        results = []
        for case in SOURCES:
            name = f"catches {case[1]}" if case[1] else f"leaves alone what is right in {case[2]}"
            results.append((f"{case[0].__module__}.{case[0].__name__} {name}", *source_case(root, case)))
        for what, text, expected in OBJECTS:
            name = f"catches {what}" if what else "leaves a pure object alone"
            results.append((f"purity.check {name}", *object_case(root, text, expected)))
        results.append(("the whole run fails for a breach and passes without", *whole_run(root)))
    print(f"1..{len(results)}")
    for number, (name, is_right, said) in enumerate(results, 1):
        if is_right is None:
            print(f"ok {number} - {name} # SKIP {said}")
            continue
        print("" if is_right else "".join(f"# said: {text}\n" for text in said or ["nothing"]), end="")
        print(f"{'ok' if is_right else 'not ok'} {number} - {name}")
    return 1 if any(is_right is False for _, is_right, _ in results) else 0


if __name__ == "__main__":
    sys.exit(main())
