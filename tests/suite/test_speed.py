"""Every variant's latency, held against its baseline; runs under --benchmark-only alone."""

from perfsuite.report.text import comparison_line
from perfsuite.results import Comparison, Verdict
from perfsuite.spec import Variant


def test_latency(variant: Variant, comparison: Comparison, accepts: bool) -> None:
    regressed = comparison.verdict is Verdict.REGRESSED and not accepts
    assert not regressed, comparison_line(comparison)
