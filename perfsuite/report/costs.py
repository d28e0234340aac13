"""What a variant costs beside latency, in words."""

from __future__ import annotations

from perfsuite.records.violation import Against, Kind, Violation

_BYTES = (Kind.PEAK_MEMORY, Kind.ARTEFACT_SIZE)
_SECONDS = (Kind.FIRST_INFERENCE, Kind.PREPARE, Kind.COMPILE, Kind.IMPORT)


def cost_statement(violation: Violation) -> str:
    """What it takes now, and what it took in the baseline."""
    kind, expected, found = violation.kind, violation.expected, violation.found
    assert isinstance(expected, int | float)
    assert isinstance(found, int | float)
    if kind in _BYTES:
        return f"{kind}: {found / 1e6:.1f} MB, {expected / 1e6:.1f} MB in the baseline"
    if kind in _SECONDS:
        return f"{kind} takes {found:.2f} s, {expected:.2f} s in the baseline"
    if kind is Kind.MEMORY_GROWTH:
        if violation.against is Against.EXPECTATION:
            grows = f"memory grows by {found / 1024:.0f} KiB a pass over all shapes"
            return f"{grows}, at most {expected / 1024:.0f} KiB accepted"
        return f"memory grows by {found / 1024:.0f} KiB an iteration, by {expected / 1024:.0f} KiB in the baseline"
    if kind is Kind.ACCURACY_DRIFT:
        return f"SQNR {found:.1f} dB against FP32, {expected:.1f} dB in the baseline"
    return f"{found:.1%} of the time is stalls, {expected:.1%} in the baseline"
