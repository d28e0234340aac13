"""Every variant's latency, held against its baseline; runs under --benchmark-only alone."""

import pytest

from perfsuite.report.text import comparison_line
from perfsuite.results import Comparison, Verdict


def test_latency(comparison: Comparison, accepts: bool) -> None:
    if comparison.verdict is Verdict.REGRESSED and not accepts:
        pytest.fail(comparison_line(comparison), pytrace=False)
