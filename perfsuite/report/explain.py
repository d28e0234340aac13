"""An explanation, for a terminal or as JSON. Pure: records in, text out."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from perfsuite.records.evidence import Kernel
from perfsuite.records.explanation import LEAST_RATIO, Explanation, KernelChange
from perfsuite.report.sentences import contribution_sentence, label, labels, note_lines
from perfsuite.report.text import milliseconds, wrapped

SCHEMA = 1
_WIDTH = 120  # kernels' names and shapes take most of it
_SHORT = 4  # under a failing test's ratio: the first causes, and what else was not the same
_HEAD = f"{'change ms':>11} {'before':>8} {'after':>8} {'calls':>6}  kernel"
_INDENT = " " * (len(_HEAD) - len("kernel"))


def explanation_lines(explanation: Explanation) -> list[str]:
    """The short form, six lines at most: causes, most time first, and what else was not the same."""
    sentences = _sentences(explanation)
    lines = sentences[:_SHORT]
    if rest := len(sentences) - len(lines):
        lines.append(f"- and {rest} more: `perfsuite explain` has them all")
    if notes := note_lines(explanation.notes):
        lines.append(f"not the same: {'; '.join(notes)}")
    return lines


def session_lines(explanations: Sequence[Explanation], *, top: int) -> list[str]:
    """Each explanation in full where anything differs, furthest from ratio 1 first; then one line for each other."""
    notes = [note_lines(one.notes) for one in explanations]
    common = [note for note in notes[0] if all(note in others for others in notes)]
    ordered = sorted(explanations, key=lambda one: -max(one.latencies.ratio, 1 / one.latencies.ratio))
    blocks = [wrapped([f"not the same: {note}" for note in common], _WIDTH)]
    for one in ordered:
        if one.contributions:
            own = [f"not the same: {note}" for note in note_lines(one.notes) if note not in common]
            blocks.append([_headline(one), *wrapped(_sentences(one) + own, _WIDTH)])
            blocks.append(_table(one.changes, top))
    blocks.append([f"{_headline(one)}; {_nothing(one)}" for one in ordered if not one.contributions])
    return [line for block in blocks if block for line in ("", *block)][1:]


def explanations_json(explanations: Sequence[Explanation]) -> str:
    """One JSON object: schema, and for each pair its variants, latencies, findings with their changes, and notes."""
    document = {
        "schema": SCHEMA,
        "explanations": [
            {
                "before": one.before.id,
                "after": one.after.id,
                "before_s": one.latencies.before_s,
                "after_s": one.latencies.after_s,
                "ratio": one.latencies.ratio,
                "differ": one.latencies.differ,
                "findings": [
                    {
                        "cause": found.cause,
                        "share": found.share,
                        "delta_s": found.delta_s,
                        "sentence": contribution_sentence(found, one.latencies),
                        "changes": [
                            {"delta_s": change.delta_s, "before": change.before, "after": change.after}
                            for change in found.changes
                        ],
                    }
                    for found in one.contributions
                ],
                "notes": note_lines(one.notes),
            }
            for one in explanations
        ],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=1).decode()


def _headline(explanation: Explanation) -> str:
    latencies = explanation.latencies
    names = dict.fromkeys((explanation.before.id, explanation.after.id))
    figures = f"{milliseconds(latencies.after_s)} against {milliseconds(latencies.before_s)}"
    return f"{' -> '.join(names)}: ratio {latencies.ratio:.3f}, {figures}"


def _sentences(explanation: Explanation) -> list[str]:
    lines = [f"- {contribution_sentence(one, explanation.latencies)}" for one in explanation.contributions]
    if not lines or not explanation.latencies.differ:
        lines.insert(0, f"- {_nothing(explanation)}")
    return lines


def _nothing(explanation: Explanation) -> str:
    if explanation.latencies.differ:
        return "no cause stands out"
    close = f"closer than two sessions of the same code may be ({LEAST_RATIO - 1:.0%})"
    return close if explanation.contributions else f"{close}, by the same kernels"


def _table(changes: Sequence[KernelChange], top: int) -> list[str]:
    """The calls that differ, two lines each: figures with operation and shape, then which kernels."""
    lines = [_HEAD] if changes and top else []
    for change in changes[:top]:
        kernel = change.any_side
        lines += [
            f"{change.delta_s * 1e3:+11.3f} {_ms(change.before):>8} {_ms(change.after):>8} {kernel.count:6d}  "
            + _cut(f"{kernel.operation} {kernel.problem}"),
            _INDENT + _cut(_kernels(change)),
        ]
    if lines and (rest := len(changes) - top) > 0:
        lines.append(f"{_INDENT}and {rest} more: --top {len(changes)}")
    return lines


def _kernels(change: KernelChange) -> str:
    if change.before is None:
        return f"only after: {label(change.any_side)}"
    if change.after is None:
        return f"only before: {label(change.any_side)}"
    return " -> ".join(dict.fromkeys(labels(change.before, change.after)))


def _ms(kernel: Kernel | None) -> str:
    return f"{kernel.time_s * 1e3:.3f}" if kernel else "-"


def _cut(text: str) -> str:
    room = _WIDTH - len(_INDENT)
    return text if len(text) <= room else f"{text[: room - 3]}..."
