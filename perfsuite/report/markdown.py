"""What came of a session as Markdown: a job's summary, a pull request's comment, an issue.

Nothing that a record holds can be taken for Markdown, HTML, somebody's name or an issue's number.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence

from perfsuite.backends.registry import slug_of
from perfsuite.judge.colour import colour
from perfsuite.records.outcome import Colour, Outcome
from perfsuite.records.session import Session
from perfsuite.records.speed import Verdict
from perfsuite.report.explain import explanation_lines
from perfsuite.report.github import COMMENT_BYTES
from perfsuite.report.judged import Judged
from perfsuite.report.outcome import outcome_lines
from perfsuite.report.verdicts import Grid, cell_words, grids
from perfsuite.spec import Variant

_TITLE_CHARS = 256  # what GitHub takes
#: What of one variant is told at most: a worker's own output may be long, and the job's log has it (judgement).
_DETAIL_CHARS = 4_000
_LEFT_OUT = "\n\n{count} parts of this are left out, for it would be too long: the job's log has them.\n"
#: By which a workflow finds its own comment again.
_MARKER = "<!-- perfsuite -->"
_SIGNS = {Colour.GREEN: "🟢", Colour.GREY: "⚪", Colour.YELLOW: "🟡", Colour.RED: "🔴"}
#: Characters that mean something to GitHub's Markdown, or to HTML, wherever they stand.
_ENTITIES = {ord(character): f"&#{ord(character)};" for character in "\\`*[]<|~&$"}
#: ... and those by which people and issues are called, for which GitHub looks in the text that a reader sees.
_CALLS = {ord(character): f"{character}<!-- -->" for character in "@#"}
#: An underscore that is not inside a word, where it means nothing.
_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
#: At the beginning of an item these would begin another one, or a rule.
_BEGINNING = re.compile(r"^(\d*)([-+>]|(?<=\d)[.)](?=\s|$))")


def escaped(text: str) -> str:
    """One line that reads as the text does, whatever is in it."""
    plain = "".join(character if character.isprintable() else " " for character in text)
    return _UNDERSCORE.sub(f"&#{ord('_')};", " ".join(plain.split()).translate(_ENTITIES | _CALLS))


def items(lines: Iterable[str]) -> Iterator[str]:
    """A list's items, indented as the lines are."""
    depth = -1
    for line in lines:
        text = line.lstrip()
        depth = min((len(line) - len(text)) // 2, depth + 1)  # any deeper it would be code
        told = _BEGINNING.sub(lambda found: f"{found[1]}&#{ord(found[2])};", escaped(text.removeprefix("- ")))
        yield f"{'  ' * depth}- {told}"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table of cells that are Markdown already."""
    head = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    return [*head, *(" ".join(f"| {' | '.join(row)} |".split()) for row in rows)]


def fitted(parts: Sequence[str], most_bytes: int, *, first: Sequence[int] = ()) -> str:
    """The parts, one below the other, in so many bytes: those numbered ``first`` before all others, in their order.

    What has no room is counted, and whoever comes later may still have some.
    """
    room = most_bytes - len(_LEFT_OUT.format(count=len(parts)))
    taken: set[int] = set()
    for number in dict.fromkeys((*first, *range(len(parts)))):
        size = len(parts[number].encode()) + len("\n\n")
        if size <= room:
            room -= size
            taken.add(number)
    left_out = len(parts) - len(taken)
    text = "\n\n".join(part for number, part in enumerate(parts) if number in taken)
    return text + (_LEFT_OUT.format(count=left_out) if left_out else "\n")


def summary_markdown(judged: Judged, most_bytes: int, *, command: str = "") -> str:
    """All that came of the session: verdicts as tables, what is red and why, all else, how to see it again."""
    parts = [
        f"{_MARKER}\n## {_overall(judged)} perfsuite: {_counts(judged.outcomes.values())}",
        _where(judged.session),
        *_tables(judged, grids(judged.outcomes)),
        *(_detail(judged, one) for one in _red(judged)),
        *_others(judged),
        *_reproduction(command),
    ]
    red = len(_red(judged))
    details = [number for number, part in enumerate(parts) if part.startswith("<details")]
    return fitted(parts, most_bytes, first=[0, 1, len(parts) - 1, *details[:red]])


def issue_text(judged: Judged, *, command: str) -> str:
    """A title, an empty line, and the body of an issue about what is red; nothing if nothing is."""
    if not _red(judged):
        return ""
    mine = {one.variant: one for one in _red(judged)}
    parts = [
        _where(judged.session),
        *_tables(judged, grids(mine)),
        *(_detail(judged, one) for one in _red(judged)),
        *_reproduction(command),
    ]
    body = fitted(parts, COMMENT_BYTES, first=[0, len(parts) - 1])
    return f"{_title(_red(judged))}\n\n{body}"


def _title(red: Sequence[Outcome]) -> str:
    """Titles are plain text on GitHub."""
    if len(red) > 1:
        models = ", ".join(dict.fromkeys(one.variant.model for one in red))
        text = f"{models}: {len(red)} variants are worse ({_counts(red)})"
    else:
        (one,) = red
        ratio = f", ratio {one.speed.ratio:.3f}" if one.speed and one.speed.ratio is not None else ""
        text = f"{one.variant.id}: {one.verdict}{ratio}"
    text = " ".join(text.split())
    return text if len(text) <= _TITLE_CHARS else f"{text[: _TITLE_CHARS - 3]}..."


def _red(judged: Judged) -> list[Outcome]:
    """Those that fail the run, in its order."""
    return [one for one in judged.outcomes.values() if colour(one, judged.policy) is Colour.RED]


def _overall(judged: Judged) -> str:
    colours = {colour(one, judged.policy) for one in judged.outcomes.values()}
    return _SIGNS[next((one for one in (Colour.RED, Colour.YELLOW, Colour.GREEN) if one in colours), Colour.GREY)]


def _counts(outcomes: Collection[Outcome]) -> str:
    counts = Counter(one.verdict for one in outcomes)
    return ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict]) or "nothing was timed"


def _where(session: Session) -> str:
    state, machine = session.state, session.machine
    facts = {
        "stack": f"{slug_of(session.stack)}, Python {session.stack.python}",
        "machine": f"{machine.cpu_model} ({machine.slug})",
        "kernel": state.kernel,
        "microcode": state.microcode,
        "governor": state.governor,
        "commit": session.commit and f"{session.commit.id}{' and changes' if session.commit.dirty else ''}",
        "session": session.id,
    }
    return "\n".join(items(f"{name}: {value}" for name, value in facts.items() if value))


def _tables(judged: Judged, found: Iterable[Grid]) -> Iterator[str]:
    for grid in found:
        rows: list[list[str]] = []
        told = ""
        for row in grid.rows:
            if row.backend != told:
                rows.append([f"**{escaped(row.backend)}**", *[""] * len(grid.precisions)])
                told = row.backend
            rows.append([row.mode, *(_cell(judged, row.variants.get(name)) for name in grid.precisions)])
        yield "\n".join(table([escaped(f"{grid.model} {grid.workload}"), *grid.precisions], rows))


def _cell(judged: Judged, variant: Variant | None) -> str:
    if variant is None:
        return ""
    outcome = judged.outcomes.get(variant)
    sign = _SIGNS[colour(outcome, judged.policy) if outcome else Colour.GREY]
    return f"{sign} {escaped(cell_words(outcome))}"


def _detail(judged: Judged, outcome: Outcome) -> str:
    """All that is known of one variant that is red."""
    head, *rest = outcome_lines(outcome)
    if explanation := judged.explanations.get(outcome.variant):
        rest += [f"  {line}" for line in explanation_lines(explanation)]
    told: list[str] = []
    for line in rest:
        room = _DETAIL_CHARS - sum(map(len, told))
        told += [line] if len(line) <= room else [f"{line[:room]}..."]
        if len(line) > room:
            break
    body = "\n".join(items(line.removeprefix("  ") for line in told))
    return f"<details open><summary>{escaped(head[:_DETAIL_CHARS])}</summary>\n\n{body}\n</details>"


def _others(judged: Judged) -> Iterator[str]:
    if judged.lines:
        body = "\n".join(items(line[:_DETAIL_CHARS] for line in judged.lines))
        yield f"<details><summary>All that the run told</summary>\n\n{body}\n</details>"


def _reproduction(command: str) -> Iterator[str]:
    if command:
        longest = max(map(len, re.findall("`+", command)), default=0)
        fence = "`" * max(3, longest + 1)
        yield f"To measure what is red again, on a machine of this class:\n\n{fence}sh\n{command}\n{fence}"
