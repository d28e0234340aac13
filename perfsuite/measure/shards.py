"""Which part of a night which runner measures: every runner works the same out by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from perfsuite.errors import UsageError
from perfsuite.measure.plan import SUSPECT_S, estimate_s
from perfsuite.records.measurement import Measurement
from perfsuite.records.session import Shard
from perfsuite.spec import Variant


def duration_s(variant: Variant, stored: Measurement | None, replicates: int) -> float:
    """What the variant takes of a night, from what its baseline took: to measure, and to be confirmed where it is."""
    return estimate_s(variant, stored, replicates) + (SUSPECT_S if stored else 0.0)


def members(shard: Shard, durations_s: Mapping[Variant, float], others: Iterable[Variant] = ()) -> frozenset[Variant]:
    """The shard's part: each variant is in exactly one shard, whatever their order.

    The longest first, each to whoever has the least to do (Graham 1969: no shard takes more than 4/3 of what the best
    division would). ``others``, which take no time, are the first shard's. UsageError if a shard would be empty.
    """
    if len(durations_s) < shard.count:
        raise UsageError(
            f"--shard {shard}: {len(durations_s)} variants that can be timed leave nothing for some of {shard.count} "
            f"shards; give {max(1, len(durations_s))} at most"
        )
    taken_s = [0.0] * shard.count
    parts: list[set[Variant]] = [set() for _ in range(shard.count)]
    parts[0].update(others)
    for variant in sorted(durations_s, key=lambda one: (-durations_s[one], one.id)):
        number = min(range(shard.count), key=lambda one: (taken_s[one], one))
        taken_s[number] += durations_s[variant]
        parts[number].add(variant)
    return frozenset(parts[shard.number - 1])
