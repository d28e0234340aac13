"""What real nights showed, kept in a file so that simulated ones can be drawn from it again."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from perfsuite.confirm.night import PAIRS_A_LAUNCH
from perfsuite.errors import UsageError
from perfsuite.records.measurement import Measurement
from perfsuite.records.pair import Pair
from perfsuite.spec import Variant


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """A variant that is slower on purpose, by so much (0.03 is 3 %)."""

    variant: Variant
    slowdown: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRecord:
    """A pair's log-ratio; pairs of one night and one ``launch`` are by processes of the same launchers."""

    variant: Variant
    launch: int
    log_ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyRecord:
    """What a variant's session says."""

    variant: Variant
    latency_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NightRecord:
    """One night: what was planted, its session, its pairs in their order, and how long it and confirming took."""

    plant: Plant | None
    latencies: tuple[LatencyRecord, ...]
    pairs: tuple[PairRecord, ...]
    wall_s: float
    confirm_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The nights of one stack on one machine, the one without a baseline first."""

    stack_slug: str
    machine_slug: str
    nights: tuple[NightRecord, ...]

    def launches(self) -> dict[Variant, list[list[float]]]:
        """Each variant's log-ratios where it was no slower, those of one launch together."""
        groups: dict[Variant, dict[tuple[int, int], list[float]]] = defaultdict(lambda: defaultdict(list))
        for number, night in enumerate(self.nights):
            for pair in night.pairs:
                if night.plant is None or pair.variant != night.plant.variant:
                    groups[pair.variant][number, pair.launch].append(pair.log_ratio)
        return {variant: list(mine.values()) for variant, mine in groups.items()}

    def log_ratios(self) -> dict[Variant, list[float]]:
        """Each variant's log-ratios where it was no slower; of some that were measured there are none."""
        variants = dict.fromkeys(one.variant for night in self.nights for one in night.latencies)
        launches = self.launches()
        return {variant: [one for group in launches.get(variant, ()) for one in group] for variant in variants}

    @property
    def pair_s(self) -> float | None:
        """What a pair took, starting included; None where there was none."""
        pairs = sum(len(night.pairs) for night in self.nights)
        return sum(night.confirm_s for night in self.nights if night.pairs) / pairs if pairs else None

    @property
    def session_spread(self) -> float | None:
        """The standard deviation of a variant's log-latency between sessions, over all variants; None of one each."""
        sessions: dict[Variant, list[float]] = defaultdict(list)
        for night in self.nights:
            for one in night.latencies:
                if night.plant is None or one.variant != night.plant.variant:
                    sessions[one.variant].append(math.log(one.latency_s))
        variances = [(statistics.variance(logs), len(logs) - 1) for logs in sessions.values() if len(logs) > 1]
        freedom = sum(count for _, count in variances)
        return math.sqrt(sum(value * count for value, count in variances) / freedom) if freedom else None


def night_record(
    plant: Plant | None,
    measurements: Sequence[Measurement],
    pairs: Sequence[Pair],
    *,
    wall_s: float,
    confirm_s: float,
) -> NightRecord:
    """``pairs`` are in the order of measuring: launchers are started anew every so many."""
    return NightRecord(
        plant=plant,
        latencies=tuple(LatencyRecord(variant=one.variant, latency_s=one.latency_s) for one in measurements),
        pairs=tuple(
            PairRecord(variant=pair.pairing.candidate, launch=number // PAIRS_A_LAUNCH, log_ratio=pair.log_ratio)
            for number, pair in enumerate(pairs)
        ),
        wall_s=wall_s,
        confirm_s=confirm_s,
    )


def write_record(path: Path, record: Record) -> None:
    """Write it as JSON; OSError if it cannot be written."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n")


def read_record(path: Path) -> Record:
    """A record that ``write_record`` wrote; UsageError if it is none."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Record)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise UsageError(
            f"{path} is no record of nights ({error}): give a file that `perfsuite selfcheck night --record` wrote"
        ) from error
