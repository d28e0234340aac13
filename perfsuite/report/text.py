"""Sentences and tables for a terminal. Pure: records in, text out."""

from __future__ import annotations

import textwrap
from collections import defaultdict
from collections.abc import Iterable, Sequence

from perfsuite.records.accuracy import Accuracy
from perfsuite.records.outcome import Colour
from perfsuite.spec import Support, Variant

#: Columns that a terminal's end takes at most (judgement: two windows side by side on a laptop's screen, and a CI's log
#: without a scroll bar).
WIDTH = 100
#: So many variants are told one by one; of more, those that differ in precision alone become one word (judgement: as
#: many as take five lines).
_ONE_BY_ONE = 8
#: How rich draws what an outcome means.
STYLES = {
    Colour.GREEN: "",
    Colour.GREY: "dim",
    Colour.YELLOW: "yellow",
    Colour.RED: "red",
}


def wrapped(lines: Iterable[str], width: int = WIDTH) -> list[str]:
    """The lines in ``width`` columns; what a line goes on with stands two columns to its right."""
    parts: list[str] = []
    for line in lines:
        indent = " " * (len(line) - len(line.lstrip()) + 2)
        parts += textwrap.wrap(line, width, subsequent_indent=indent, break_on_hyphens=False) or [""]
    return parts


def variant_names(variants: Iterable[Variant]) -> str:
    """All of them, in their order: of many ``resnet50-ipex-eager-{fp32,bf16}-latency``."""
    named = list(variants)
    if len(named) <= _ONE_BY_ONE:
        return ", ".join(variant.id for variant in named)
    alike: dict[tuple[str, ...], list[Variant]] = defaultdict(list)
    for variant in named:
        alike[variant.model, variant.backend, variant.mode, variant.workload].append(variant)
    return ", ".join(map(_braced, alike.values()))


def _braced(alike: Sequence[Variant]) -> str:
    first = alike[0]
    if len(alike) == 1:
        return first.id
    precisions = ",".join(variant.precision for variant in alike)
    return f"{first.model}-{first.backend}-{first.mode}-{{{precisions}}}-{first.workload}"


def milliseconds(seconds: float) -> str:
    if seconds < 0.9995:
        return f"{seconds * 1e3:.3g} ms"
    return f"{seconds:.3g} s" if seconds < 999.5 else f"{seconds:.0f} s"


def minutes(duration_s: float) -> str:
    """To the second below 90 s."""
    return f"{duration_s / 60:.0f} min" if duration_s >= 90 else f"{duration_s:.0f} s"


def accuracy_lines(results: Sequence[tuple[Variant, Accuracy]]) -> list[str]:
    """Accuracy against FP32, one line for each variant."""
    width = max((len(variant.id) for variant, _ in results), default=0)
    lines = [f"{'variant':{width}}  SQNR dB  centred cosine  agreement  max error"]
    lines += [
        f"{variant.id:{width}}  {_figure(a.sqnr_db, '.1f'):>7}  {_figure(a.centred_cosine, '.6f'):>14}  "
        f"{_figure(a.agreement, '.4f'):>9}  {_figure(a.max_error, '.2g'):>9}"
        for variant, a in results
    ]
    return lines


def _figure(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def support_word(support: Support) -> str:
    if not support.supported:
        return "no"
    return support.limit or "yes"


def support_note(support: Support) -> str:
    """What a combination that runs does not do; empty for nothing."""
    return f"{support.limit}: {support.caveat}" if support.limit else ""
