"""`perfsuite history`: every session that was measured, one variant's series, where it changed and why."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # What argparse's add_subparsers returns has no public name.
    from argparse import _SubParsersAction

    from perfsuite.history.database import History

#: As ``records/history.Metric`` has them, which --help need not import.
_METRICS = ("latency", "memory", "accuracy", "compile")
#: A quarter of a year of nights.
_LAST = 90


def add_parser(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "history",
        help="every session that was measured: series, change points, import, export",
        description="What timing runs measured, in .perfsuite/history.sqlite, or where [tool.perfsuite] history or "
        "PERFSUITE_HISTORY say (sqlite:///FILE, postgresql://USER@HOST/DATABASE).",
    )
    parser.set_defaults(run=_sessions, last=_LAST)
    actions = parser.add_subparsers(metavar="ACTION")

    listing = actions.add_parser("list", help="the sessions (also without any action)")
    listing.add_argument("--last", type=int, default=_LAST, metavar="N", help=f"how many (default: {_LAST})")
    listing.set_defaults(run=_sessions)

    series = actions.add_parser("series", help="one variant's figures as a line, and where they changed")
    series.add_argument("variant", metavar="VARIANT", help="such as resnet50-ipex-torchscript-bf16-latency")
    series.add_argument("--metric", choices=_METRICS, default="latency", help="of what (default: latency)")
    series.add_argument("--stack", metavar="SLUG", help="of one stack alone, as `perfsuite history` prints it")
    series.set_defaults(run=_series)

    importing = actions.add_parser("import", help="take in files of perfsuite's or pytest-benchmark's")
    importing.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="files, or folders such as .benchmarks")
    importing.set_defaults(run=_import)

    exporting = actions.add_parser("export", help="write a table, or one session as pytest-benchmark's JSON")
    exporting.add_argument("file", type=Path, metavar="FILE", help="its ending says as what: .csv, .parquet, .json")
    exporting.add_argument("-k", default="", metavar="EXPRESSION", help="only variants whose id fits, as in pytest")
    exporting.add_argument(
        "--wide", action="store_true", help="a row a session, a column a variant's latency (.csv), as Otava reads"
    )
    exporting.add_argument("--session", metavar="ID", help="of which session (.json; default: the newest)")
    exporting.set_defaults(run=_export)


def open_history() -> History:
    """The project's, as settings and environment say; UsageError or HistoryError."""
    from perfsuite.history.address import history_url
    from perfsuite.history.database import History
    from perfsuite.settings import project_root, read_settings

    root = project_root(Path.cwd())
    return History(history_url(root, read_settings(root, {}).history, os.environ))


def _opened(do: Callable[[History], int]) -> int:
    history = open_history()
    try:
        return do(history)
    finally:
        history.close()


def _sessions(options: argparse.Namespace) -> int:
    from perfsuite.report.history import sessions_lines

    def told(history: History) -> int:
        lines = list(sessions_lines(history.sessions(last=options.last)))
        print("\n".join(lines or [f"{history.address} holds no session yet: pytest --benchmark-only keeps them"]))
        return 0

    return _opened(told)


def _series(options: argparse.Namespace) -> int:
    from perfsuite.errors import UsageError
    from perfsuite.history.changes import trend_of
    from perfsuite.history.lineages import lineages
    from perfsuite.records.history import Metric
    from perfsuite.report.history import trend_lines

    def told(history: History) -> int:
        found = history.series(options.variant, Metric(options.metric), stack=options.stack)
        if not found:
            near = [one for one in history.newest() if options.variant in one]
            hint = f"; did you mean {', '.join(near[:3])}?" if near else "; `perfsuite history` lists the sessions"
            raise UsageError(f"no session has {options.metric} of {options.variant}{hint}")
        for number, lineage in enumerate(one for series in found for one in lineages(series)):
            print("\n" * bool(number) + "\n".join(trend_lines(trend_of(lineage))))
        return 0

    return _opened(told)


def _import(options: argparse.Namespace) -> int:
    from perfsuite.errors import HistoryError, UsageError
    from perfsuite.history.imports import files_in, rows_in

    def taken(history: History) -> int:
        kept = there = 0
        errors = []
        for path in files_in(options.paths):
            try:
                new = history.keep(rows_in(path))
            except (UsageError, HistoryError) as error:
                errors.append(str(error))
                continue
            kept, there = kept + new, there + (not new)
        print(f"{history.address}: taken in {kept} of {kept + there + len(errors)}, {there} were there already")
        if errors:
            raise UsageError(f"{len(errors)} files are not taken in:\n" + "\n".join(f"  {line}" for line in errors))
        return 0

    return _opened(taken)


def _export(options: argparse.Namespace) -> int:
    from perfsuite.errors import UsageError
    from perfsuite.history.exports import figures, write_csv, write_parquet, write_wide_csv
    from perfsuite.records.history import Metric
    from perfsuite.selection import selects_names

    ending = options.file.suffix
    if ending not in (".csv", ".parquet", ".json"):
        raise UsageError(f"{options.file}: the ending says as what: .csv, .parquet or .json")
    if options.wide and ending != ".csv":
        raise UsageError(f"--wide is a table of .csv, not of {ending}")

    def written(history: History) -> int:
        if ending == ".json":
            return _export_session(history, options)
        fits = selects_names(options.k)
        variants = [one for one in history.newest() if fits(one)]
        found = list(figures(history, variants, [Metric.LATENCY] if options.wide else list(Metric)))
        write = write_parquet if ending == ".parquet" else write_wide_csv if options.wide else write_csv
        write(options.file, found)
        print(f"{options.file}: {len(found)} figures of {len(variants)} variants")
        return 0

    return _opened(written)


def _export_session(history: History, options: argparse.Namespace) -> int:
    import json

    from perfsuite.errors import UsageError
    from perfsuite.replay import document_of

    newest = history.sessions(last=1)
    name = options.session or (newest[0].id if newest else "")
    session = history.session(name)
    if session is None:
        raise UsageError(f"{history.address} holds no whole session {name!r}; `perfsuite history` lists them")
    options.file.write_text(json.dumps(document_of(session)), encoding="utf-8")
    print(f"{options.file}: {len(session.measurements)} variants of {session.id}")
    return 0
