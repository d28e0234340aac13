"""The matrix as a heat map: a table for each model, backend and workload, of modes and precisions."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from perfsuite.records.pair import Pairing
from perfsuite.report.page.chapter import Chapter
from perfsuite.report.page.signs import level_of, sign_of
from perfsuite.report.page.view import Cell, Heat, HeatRow
from perfsuite.spec import Mode, Precision

_MODES, _PRECISIONS = tuple(Mode), tuple(Precision)
#: Judgement: enough of a name to be recognised in an address, and of a digest to tell any two apart.
_SLUG_CHARS, _DIGEST_DIGITS = 60, 10


def anchor_of(name: str) -> str:
    """Where a page tells of the variant: its name, or of a name that no address can hold a part and a digest."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", name)[:_SLUG_CHARS]
    digest = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:_DIGEST_DIGITS]
    return plain if plain == name else f"{plain}-{digest}"


def in_page(chapter: Chapter) -> str:
    """The link to a chapter of the same page."""
    return f"#{anchor_of(chapter.name)}"


def heats(chapters: Iterable[Chapter], link: Callable[[Chapter], str]) -> tuple[Heat, ...]:
    """In the chapters' order; rows and columns in the matrix's; ``link`` leads to where a chapter is."""
    groups: dict[str, list[Chapter]] = defaultdict(list)
    for chapter in chapters:
        groups[_group(chapter.pairing)].append(chapter)
    return tuple(_heat(name, mine, link) for name, mine in groups.items())


def _group(pairing: Pairing) -> str:
    one, other = pairing.baseline, pairing.candidate
    return f"{other.model}, {_both(one.backend, other.backend)}, {other.workload}"


def _heat(name: str, chapters: Sequence[Chapter], link: Callable[[Chapter], str]) -> Heat:
    columns = sorted({one.pairing.candidate.precision for one in chapters}, key=_PRECISIONS.index)
    rows: dict[tuple[Mode, Mode], dict[Precision, Cell]] = defaultdict(dict)
    for one in chapters:
        rows[one.pairing.baseline.mode, one.pairing.candidate.mode][one.pairing.candidate.precision] = _cell(one, link)
    return Heat(
        name=name,
        columns=tuple(precision.value for precision in columns),
        rows=tuple(
            HeatRow(name=_both(*modes), cells=tuple(rows[modes].get(precision) for precision in columns))
            for modes in sorted(rows, key=lambda modes: [_MODES.index(mode) for mode in modes])
        ),
    )


def _both(before: str, after: str) -> str:
    return " → ".join(dict.fromkeys((str(before), str(after))))


def _cell(chapter: Chapter, link: Callable[[Chapter], str]) -> Cell:
    ratio = chapter.outcome.speed.ratio if chapter.outcome.speed else None
    return Cell(
        sign=sign_of(chapter.outcome),
        text="" if ratio is None else f"{ratio:.2f}" if ratio < 100 else f"{ratio:.3g}",
        level=level_of(chapter.outcome),
        colour=chapter.colour,
        href=link(chapter),
    )
