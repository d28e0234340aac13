"""A variant from session to session, as a page shows it."""

from __future__ import annotations

import dataclasses

import pytest
from builders import VARIANT
from page_builders import SLOWER, night, trend

from perfsuite.history.changes import trend_of
from perfsuite.records.history import Metric
from perfsuite.report.page.sections import page
from perfsuite.report.page.sessions import session_contents
from perfsuite.report.page.trend import trend_figure


def test_a_trend_tells_where_its_level_changed_and_what_else_did() -> None:
    (told,) = [one for one in page(session_contents(night())).sections if one.name == SLOWER.id]
    words = told.figures[0].words
    assert words.startswith("30 sessions, from 20 ms to 30.48 ms; the last has ")
    for said in ("A coloured line", "A dashed line", "The square is this session's."):
        assert said in words
    assert "logarithmic" not in words
    (row,) = told.tables[0].rows
    assert (row.head, *row.cells) == ("2025-01-16 02:00", "software", "torch 2.7.0 -> 2.8.0", "1.500 times")


def test_a_stack_that_stays_has_no_dashed_line() -> None:
    found = trend(VARIANT, sessions=30).series
    one_stack = tuple(dataclasses.replace(point, stack_slug="one") for point in found.points)
    figure = trend_figure(trend_of(dataclasses.replace(found, points=one_stack)))
    assert "A dashed line" not in figure.words
    assert "stroke-dasharray" not in figure.svg
    assert "stroke-dasharray" in trend_figure(trend_of(found)).svg


@pytest.mark.parametrize("metric", list(Metric))
def test_a_trend_of_every_metric_is_drawn(metric: Metric) -> None:
    """Of decibels below nothing, too, of which no logarithm is taken."""
    found = trend(VARIANT, sessions=12).series
    sign = -1 if metric is Metric.ACCURACY else 1
    points = tuple(dataclasses.replace(one, value=sign * (number + 1)) for number, one in enumerate(found.points))
    figure = trend_figure(trend_of(dataclasses.replace(found, metric=metric, points=points)))
    assert "<svg" in figure.svg
    assert ("logarithmic" in figure.words) is (metric is not Metric.ACCURACY)
    assert "The square" not in figure.words
