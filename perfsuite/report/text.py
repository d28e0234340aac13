"""Sentences and tables for a terminal. Pure: records in, text out."""

from __future__ import annotations

from collections.abc import Sequence

from perfsuite.records.accuracy import Accuracy
from perfsuite.spec import Support, Variant


def milliseconds(seconds: float) -> str:
    if seconds < 0.9995:
        return f"{seconds * 1e3:.3g} ms"
    return f"{seconds:.3g} s" if seconds < 999.5 else f"{seconds:.0f} s"


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
