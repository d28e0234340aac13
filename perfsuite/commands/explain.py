"""`perfsuite explain`: why one stored measurement is slower than another."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # What argparse's add_subparsers returns has no public name.
    from argparse import _SubParsersAction

_TOP = 10  # judgement: what fits on one screen beside the sentences


def add_parser(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "explain",
        help="two stored sessions, or two variants of one: what changed, ranked by time",
        description="Why B is slower or faster than A: causes, most time first, and the kernels that differ.",
    )
    for name in ("A", "B"):
        parser.add_argument(name, help="FILE or FILE::VARIANT: a baseline, or what --benchmark-json wrote")
    parser.add_argument("-k", default="", metavar="EXPRESSION", help="only variants whose id fits, as in pytest")
    parser.add_argument("--top", type=_count, default=_TOP, metavar="N", help="rows of kernels (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_run)


def _count(text: str) -> int:
    count = int(text)
    if count < 0:
        raise ValueError
    return count


def _run(options: argparse.Namespace) -> int:
    from perfsuite.errors import UsageError
    from perfsuite.explain.causes import explain
    from perfsuite.report.explain import explanations_json, session_lines
    from perfsuite.selection import selects
    from perfsuite.store.sessions import read_contrasts

    fits = selects(options.k, "")
    contrasts = [one for one in read_contrasts(options.A, options.B) if fits(one.after.variant)]
    if not contrasts:
        raise UsageError(f"-k {options.k!r} selects no variant")
    explanations = [explain(one.before, one.after) for one in contrasts]
    if options.json:
        print(explanations_json(explanations))
    else:
        print("\n".join(session_lines(explanations, top=options.top)))
    return 0
