"""Sentences and tables for a terminal. Pure: records in, text out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from perfsuite.records.accuracy import Accuracy
from perfsuite.records.measurement import Measurement
from perfsuite.records.speed import Speed, Verdict
from perfsuite.spec import Support, Variant


def milliseconds(seconds: float) -> str:
    if seconds < 0.9995:
        return f"{seconds * 1e3:.3g} ms"
    return f"{seconds:.3g} s" if seconds < 999.5 else f"{seconds:.0f} s"


def comparison_line(comparison: Speed) -> str:
    """A verdict with its figures, on one line."""
    parts = [f"{comparison.variant.id}: {comparison.verdict}"]
    if comparison.ratio is not None and comparison.candidate_s and comparison.baseline_s:
        interval = comparison.interval
        bounds = f" [{interval.low:.3f}, {interval.high:.3f}] at {interval.coverage:.0%}" if interval else ""
        parts.append(
            f"ratio {comparison.ratio:.3f}{bounds}: {milliseconds(comparison.candidate_s)} "
            f"against {milliseconds(comparison.baseline_s)}"
        )
    parts.append(comparison.reason)
    return ", ".join(parts)


def verdict_lines(comparisons: Sequence[Speed], baselines: str) -> list[str]:
    """The end of a timing run: what was judged, what was not and why, and how to accept."""
    counts = Counter(comparison.verdict for comparison in comparisons)
    lines = ["verdicts: " + ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])]
    without_ratio: dict[tuple[Verdict, str], int] = Counter(
        (c.verdict, c.reason.replace(c.variant.id, "...")) for c in comparisons if c.ratio is None
    )
    lines += [f"  {verdict} ({count}): {reason}" for (verdict, reason), count in without_ratio.items()]
    lines += [
        f"  {comparison_line(c)}"
        for c in comparisons
        if c.verdict in (Verdict.REGRESSED, Verdict.IMPROVED, Verdict.INCONCLUSIVE)
    ]
    if counts[Verdict.MISSING_BASELINE] or counts[Verdict.INCOMPARABLE]:
        lines.append(
            f"  to accept what was measured into {baselines}: --baseline-update, "
            "or --baseline-update-new for what has no baseline yet"
        )
    return lines


def wall_time_line(measurements: Iterable[Measurement], *, wall_s: float, import_s: float) -> str:
    """Where a timing run's wall time went; inside the models is timed, warm-up and first inference."""
    stages = [replicate.stages for m in measurements for replicate in m.replicates]
    timed_s = sum(stage.timed_s for stage in stages)
    warm_up_s = sum(stage.warm_up_s for stage in stages)
    first_s = sum(stage.first_inference_s for stage in stages)
    outside = {
        "preparing": sum(stage.prepare_s for stage in stages),
        "loading": sum(stage.load_s for stage in stages),
        "importing": import_s,
    }
    inside_s = timed_s + warm_up_s + first_s
    outside["other"] = max(0.0, wall_s - inside_s - sum(outside.values()))
    rest = ", ".join(f"{name} {seconds / wall_s:.0%}" for name, seconds in outside.items())
    return (
        f"wall time {wall_s:.0f} s: inside the models {inside_s / wall_s:.0%} (timed {timed_s / wall_s:.0%}, "
        f"warm-up {warm_up_s / wall_s:.0%}, first inference with compilation {first_s / wall_s:.0%}), {rest}"
    )


def unsteady_lines(measurements: Iterable[Measurement]) -> list[str]:
    names = [m.variant.id for m in measurements if not m.steady]
    return [f"never steady while warming up ({len(names)}): {', '.join(names)}"] if names else []


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
    return support.caveat.partition(":")[0] if support.caveat else "yes"
