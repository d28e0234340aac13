"""A night's parts: each variant is in exactly one, none has far more to do, and every runner finds the same."""

from __future__ import annotations

import dataclasses
import math
import random
from collections import Counter

import pytest
from builders import OTHER_VARIANT, VARIANT, measurement, replicate
from hypothesis import given
from hypothesis import strategies as st

from perfsuite.errors import UsageError
from perfsuite.measure.shards import duration_s, members
from perfsuite.records.measurement import Stages
from perfsuite.records.session import Shard
from perfsuite.spec import Variant


def _variant(number: int) -> Variant:
    return dataclasses.replace(VARIANT, model=f"model-{number}")


@st.composite
def _nights(draw: st.DrawFn) -> tuple[dict[Variant, float], int]:
    durations_s = draw(st.lists(st.floats(0.1, 500), min_size=1, max_size=60))
    count = draw(st.integers(1, len(durations_s)))
    return {_variant(number): one for number, one in enumerate(durations_s)}, count


def _parts(durations_s: dict[Variant, float], count: int, others: list[Variant]) -> list[frozenset[Variant]]:
    return [members(Shard(number=number, count=count), durations_s, others) for number in range(1, count + 1)]


@given(_nights(), st.integers(0, 3), st.randoms(use_true_random=False))
def test_every_variant_is_in_exactly_one_shard_whatever_the_order(
    night: tuple[dict[Variant, float], int], others: int, chance: random.Random
) -> None:
    durations_s, count = night
    unsupported = [dataclasses.replace(OTHER_VARIANT, model=f"other-{number}") for number in range(others)]
    parts = _parts(durations_s, count, unsupported)
    assert Counter(one for part in parts for one in part) == Counter((*durations_s, *unsupported))
    shuffled = list(durations_s.items())
    chance.shuffle(shuffled)
    assert _parts(dict(shuffled), count, unsupported[::-1]) == parts


@given(_nights())
def test_no_shard_has_far_more_to_do_than_the_others(night: tuple[dict[Variant, float], int]) -> None:
    durations_s, count = night
    times_s = [math.fsum(durations_s[one] for one in part) for part in _parts(durations_s, count, [])]
    assert min(times_s) > 0
    best_s = max(math.fsum(durations_s.values()) / count, max(durations_s.values()))
    assert max(times_s) <= best_s + max(durations_s.values())
    # Whoever has the most could give nothing away that would not make another the longest.
    longest = max(_parts(durations_s, count, []), key=lambda part: math.fsum(durations_s[one] for one in part))
    assert max(times_s) - min(durations_s[one] for one in longest) <= min(times_s) + 1e-6


def test_more_shards_than_variants_are_refused() -> None:
    with pytest.raises(UsageError, match=r"--shard 1/3: 2 variants .* give 2 at most"):
        members(Shard(number=1, count=3), {VARIANT: 1.0, OTHER_VARIANT: 1.0})


def test_what_is_stored_tells_how_long_a_variant_takes() -> None:
    stages = Stages(start_s=1, load_s=10, prepare_s=20, first_inference_s=4, warm_up_s=6, timed_s=40)
    stored = measurement(replicates=(replicate(1, stages=stages),))
    assert duration_s(VARIANT, stored, replicates=3) > 2 * duration_s(VARIANT, None, replicates=3) > 0
