"""What the template shows, ready to be shown: every figure is text by now, and every text is escaped there."""

from __future__ import annotations

from dataclasses import dataclass

from perfsuite.records.outcome import Colour


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A sentence; ``depth`` above 0 belongs to the line above. Of a long one all but its beginning is the ``rest``."""

    depth: int
    text: str
    rest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A verdict at a glance, and the word that a screen reader says."""

    mark: str
    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One variant in the heat map; ``level`` is the name of its colour, ``href`` leads to where it is told of."""

    sign: Sign
    text: str
    level: str
    colour: Colour
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatRow:
    """A mode; None where there is no variant of that precision."""

    name: str
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heat:
    """The matrix of one model, backend and workload."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[HeatRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A drawing, what it shows in words, and whether its marks are of both sides. ``svg`` is trusted: we drew it."""

    title: str
    svg: str
    words: str
    sides: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of a table: its head, its other cells, and a word for what stands out in it."""

    head: str
    cells: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """``columns`` are the heads of all columns, ``numeric`` how many at the end hold figures."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    numeric: int
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One variant's."""

    anchor: str
    name: str
    sign: Sign
    colour: Colour
    headline: str
    lines: tuple[Line, ...]
    figures: tuple[Figure, ...]
    tables: tuple[Table, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A text, and what it leads to."""

    text: str
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """All of it.

    ``signs`` are those that occur and how often, ``legend`` is of the colours, ``trail`` leads back to where a page was
    served from.
    """

    title: str
    before: str
    after: str
    facts: tuple[tuple[str, str], ...]
    lines: tuple[Line, ...]
    signs: tuple[tuple[Sign, int], ...]
    legend: tuple[tuple[str, str], ...]
    heats: tuple[Heat, ...]
    sections: tuple[Section, ...]
    differences: Table | None
    trail: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineTrends:
    """What a variant took on one machine class from session to session; ``newest`` leads to what the last one says."""

    name: str
    figures: tuple[Figure, ...]
    tables: tuple[Table, ...]
    newest: Link | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantHistory:
    """A variant's trends on every machine class that has any."""

    title: str
    trail: tuple[Link, ...]
    machines: tuple[MachineTrends, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """A session in the overview; of what others measured there are figures alone, and nothing that it leads to."""

    name: str
    href: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Sessions that fit the query, as many as are shown, of those that were ``found`` in all of the ``total``."""

    title: str
    query: str
    columns: tuple[str, ...]
    sessions: tuple[SessionRow, ...]
    found: int
    total: int
    variants: tuple[Link, ...]
    notes: tuple[Line, ...]
