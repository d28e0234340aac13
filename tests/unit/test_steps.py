"""The order in which replicates are measured."""

import dataclasses

from builders import ONCE_VARIANT, OTHER_VARIANT, VARIANT
from hypothesis import given, settings
from hypothesis import strategies as st

from perfsuite.measure.campaign import steps
from perfsuite.spec import Variant

A, B, C = VARIANT, OTHER_VARIANT, dataclasses.replace(VARIANT, model="minilm")


def test_passes_are_interleaved_and_every_other_one_goes_backwards() -> None:
    assert steps([A, B, C], 3) == [A, B, C, C, B, A, A, B, C]


def test_what_is_done_is_left_out() -> None:
    assert steps([A, B, C], 2, [A, B, A]) == [C, C, B]


def test_more_done_than_wanted_leaves_nothing() -> None:
    assert steps([A], 1, [A, A, A]) == []


def test_slow_workloads_run_once() -> None:
    assert steps([A, ONCE_VARIANT, B], 3) == [A, ONCE_VARIANT, B, B, A, A, B]


@given(st.integers(1, 4), st.lists(st.sampled_from([A, B, C])))
@settings(max_examples=30, deadline=None)
def test_every_variant_comes_to_its_replicates(replicates: int, done: list[Variant]) -> None:
    left = steps([A, B, C], replicates, done)
    for variant in (A, B, C):
        assert left.count(variant) == max(0, replicates - done.count(variant))
