"""The history as tables: CSV, one row for each figure or for each session, or Parquet."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from perfsuite.errors import UsageError
from perfsuite.history.database import History
from perfsuite.partial import partial_of
from perfsuite.records.history import Metric, Point, begun_iso


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One session's figure of one variant: seconds, bytes, dB."""

    variant: str
    metric: Metric
    point: Point


_NAMES = ("session", "begun", "machine", "stack", "variant", "metric", "value", "verdict")


def figures(history: History, variants: Sequence[str], metrics: Sequence[Metric]) -> Iterator[Figure]:
    """Of each variant, metric after metric, oldest first."""
    for variant in variants:
        for metric in metrics:
            for series in history.series(variant, metric):
                for point in series.points:
                    yield Figure(variant=variant, metric=metric, point=point)


def write_csv(path: Path, found: Sequence[Figure]) -> None:
    """A row for each figure."""
    _in_one_step(path, lambda partial: _write(partial, [_NAMES, *map(_cells, found)]))


def write_wide_csv(path: Path, found: Sequence[Figure]) -> None:
    """A row for each session, a column for each variant: what Otava reads, with ``time`` as its column of time."""
    names = list(dict.fromkeys(one.variant for one in found))
    rows: dict[str, dict[str, str]] = {}
    for one in found:
        row = rows.setdefault(one.point.session, {"time": begun_iso(one.point.begun), "stack": one.point.stack_slug})
        row[one.variant] = repr(one.point.value)
    table = [("time", "stack", *names)]
    table += [
        (row["time"], row["stack"], *(row.get(name, "") for name in names))
        for row in sorted(rows.values(), key=lambda row: row["time"])
    ]
    _in_one_step(path, lambda partial: _write(partial, table))


def write_parquet(path: Path, found: Sequence[Figure]) -> None:
    """As ``write_csv``; UsageError where pyarrow is not installed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError:
        raise UsageError("Parquet needs pyarrow: pip install pyarrow, or export to .csv") from None
    columns = dict(zip(_NAMES, zip(*map(_cells, found), strict=True), strict=True)) if found else {}
    table = pyarrow.table({name: list(columns.get(name, ())) for name in _NAMES})
    _in_one_step(path, lambda partial: pyarrow.parquet.write_table(table, partial))


def _cells(one: Figure) -> tuple[str | float, ...]:
    point = one.point
    return (
        point.session, begun_iso(point.begun), point.machine_slug, point.stack_slug, one.variant, str(one.metric),
        point.value, point.verdict,
    )  # fmt: skip


def _write(path: Path, rows: Sequence[Sequence[str | float]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


def _in_one_step(path: Path, write: Callable[[Path], None]) -> None:
    """Whole, or not at all; UsageError where it cannot be written."""
    partial = partial_of(path)
    try:
        write(partial)
        partial.replace(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)
