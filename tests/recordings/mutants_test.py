#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Mutants of recorded answers over the wire: what spantap says of each must be what an independent reading of the mutant says.

  mutants_test.py [EACH [SEED]]      EACH mutants of every family; runs itself under the Python that has YAML
"""

import copy
import os
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, TESTS)
from harness import paths, proc, spantap, tap  # noqa: E402

import forms  # noqa: E402
import mutate  # noqa: E402
import passes  # noqa: E402
import recordings_test  # noqa: E402


def mutant_of(call, seed):
    """A call like it with another answer, or None where the reading gives up on it."""
    made = copy.copy(call)
    made.seed = seed
    body, made.mutation = mutate.mutant(call.bytes(), call.content_type, seed)
    made.response = body.decode("utf-8", "surrogateescape")
    try:
        made.wanted = made.meaning()
    except (TypeError, KeyError, AttributeError, AssertionError, ValueError):
        return None
    made.name += f" seed {seed} {made.mutation}"
    return made


def mutants_of(calls, each, seed):
    """(mutants, how many could not be read)"""
    out, unread = [], 0
    for family in sorted({c.row[1] for c in calls}):
        own = [c for c in calls if c.row[1] == family and c.response.strip()]
        for number in range(each):
            made = mutant_of(own[number % len(own)], f"{seed}-{family}-{number}")
            unread += made is None
            out += [made] if made else []
    return out, unread


def play(check, mutants, http, misses):
    own = [f for f in forms.FORMS if f.http == http]
    exchanges = [recordings_test.exchange_of(m, own[n % len(own)]) for n, m in enumerate(mutants)]
    spans = passes.play(check, exchanges)
    for number, made in enumerate(mutants):
        misses[made.seed] = recordings_test.misses_of(made, spans.get(number, []))


def main():
    each, seed = [*sys.argv[1:], *("120", "spantap")[len(sys.argv) - 1 :]][:2]
    lines, misses = tap.Tap(), {}
    with lines.whole("mutants"):
        if not os.path.isdir(paths.RECORDINGS):
            raise tap.Skip(f"no recordings in {paths.RECORDINGS}; SPANTAP_RECORDINGS names the place")
        spantap.need_spantap()
        calls, _ = recordings_test.load(paths.RECORDINGS)
        mutants, unread = mutants_of(calls, int(each), seed)
        lines.line(unread * 20 < len(mutants), f"{len(mutants)} mutants can be read", f"{unread} cannot")
        halves = mutants[::2], mutants[1::2]
        for http, half in zip(forms.HTTPS, halves):
            lines.run(f"mutants_go_over_http{http}", play, half, http, misses)

        def family(check, name):
            own = [m for m in mutants if m.row[1] == name and m.seed in misses]
            bad = [m for m in own if misses[m.seed]]
            check.note(f"{len(own) - len(bad)} of {len(own)} decoded exactly")
            for m in bad[:12]:
                check.that(False, f"{m.name}: {'; '.join(misses[m.seed])}")

        for name in sorted({m.row[1] for m in mutants}):
            lines.run(f"mutants_of_{name}_are_decoded_exactly", family, name)
    return lines.end()


if __name__ == "__main__":
    proc.need_packages("brotli", "yaml", "zstandard")
    sys.exit(main())
