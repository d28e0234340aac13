"""Which types and instruction sets carry the work of a pass, and what nobody accounts for."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from perfsuite.records.evidence import Evidence, Source
from perfsuite.records.isa import Isa


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The kernels of one type and one instruction set."""

    dtype: str
    isa: Isa
    macs: int
    time_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Multiply-accumulates and time of a pass, by type and instruction set.

    ``shares`` holds what multiplies; ``other_s`` is the time of kernels that do not. What lies
    between kernels and the pass, in work or in time, is unattributed. ``unread`` is the share of
    the lines that were not understood, in these and the lines of one pass's kernels.
    """

    shares: tuple[Share, ...]
    total_macs: int
    total_s: float
    other_s: float
    reference_macs: int
    reference_s: float
    unread: float

    def of_work(self, macs: int) -> float:
        """The share that these multiply-accumulates are of the pass's; 0 where it has none."""
        return macs / self.total_macs if self.total_macs else 0.0

    @property
    def unattributed(self) -> float:
        """The share of the multiply-accumulates that no kernel accounts for."""
        return self.of_work(self.total_macs - sum(share.macs for share in self.shares))

    @property
    def unattributed_time(self) -> float:
        """The share of the time that no kernel accounts for."""
        known_s = self.other_s + sum(share.time_s for share in self.shares)
        return max(0.0, 1 - known_s / self.total_s)

    def of_dtype(self, dtype: str) -> float:
        """The share of all multiply-accumulates that read this type."""
        return self.of_work(sum(share.macs for share in self.shares if share.dtype == dtype))

    def by_dtype(self) -> dict[str, int]:
        """Multiply-accumulates by type, the most first."""
        macs: dict[str, int] = defaultdict(int)
        for share in self.shares:
            macs[share.dtype] += share.macs
        return dict(sorted(macs.items(), key=lambda item: -item[1]))

    def by_isa(self, dtype: str) -> dict[Isa, float]:
        """Of the multiply-accumulates that read this type, each instruction set's share, the most first."""
        mine = sorted((share for share in self.shares if share.dtype == dtype), key=lambda share: -share.macs)
        total = sum(share.macs for share in mine)
        return {share.isa: share.macs / total for share in mine} if total else {}


def coverage(evidence: Evidence) -> Coverage:
    """Add up the kernel table."""
    macs: dict[tuple[str, Isa], int] = defaultdict(int)
    times_s: dict[tuple[str, Isa], float] = defaultdict(float)
    for kernel in evidence.kernels:
        if kernel.macs:
            macs[kernel.dtype, kernel.isa] += kernel.macs
            times_s[kernel.dtype, kernel.isa] += kernel.time_s
    reference = [kernel for kernel in evidence.kernels if kernel.reference]
    kernels_s = sum(kernel.time_s for kernel in evidence.kernels)
    return Coverage(
        shares=tuple(
            Share(dtype=dtype, isa=isa, macs=amount, time_s=times_s[dtype, isa])
            for (dtype, isa), amount in sorted(macs.items(), key=lambda item: -item[1])
        ),
        # Padding and fusion can make kernels do a little more than the model asks for.
        total_macs=max(evidence.model_macs, sum(macs.values())),
        total_s=max(evidence.forward_s, kernels_s),
        other_s=kernels_s - sum(times_s.values()),
        reference_macs=sum(kernel.macs or 0 for kernel in reference),
        reference_s=sum(kernel.time_s for kernel in reference),
        unread=_unread(evidence),
    )


def _unread(evidence: Evidence) -> float:
    read = sum(kernel.count for kernel in evidence.kernels if kernel.source is not Source.OPERATOR)
    return evidence.unread.count / max(1, evidence.unread.count + read)
