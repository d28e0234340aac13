"""What may be better on a machine -> candidates. Pure, but for ``libraries`` and ``huge_pages_on_request``."""

from __future__ import annotations

import ctypes.util
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from perfsuite.machine.sysfs import text_of
from perfsuite.records.tuning import Candidate, Knob, Trial, best

_PRELOAD = "LD_PRELOAD"
#: What run_cpu and ipexrun look for (--enable-jemalloc, --enable-tcmalloc); Debian's small tcmalloc has another name.
_ALLOCATORS = ("jemalloc", "tcmalloc", "tcmalloc_minimal")
_INTEL_OPENMP = "libiomp5.so"
#: As run_cpu and ipexrun set them for libiomp5.
_KMP = {"KMP_AFFINITY": "granularity=fine,compact,1,0", "KMP_BLOCKTIME": "1"}
#: 1 GiB: what glibc keeps, and serves from its heap, of large tensors, in place of asking the kernel for each anew.
_KEPT_BYTES = str(1 << 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Libraries:
    """What can be preloaded, as LD_PRELOAD takes it; None where Intel's OpenMP is not installed in the stack."""

    allocators: tuple[str, ...] = ()
    intel_openmp: str | None = None


def libraries(python: Path) -> Libraries:
    """What the loader finds, and what the stack of this interpreter has from pip (package intel-openmp)."""
    found = [ctypes.util.find_library(name) for name in _ALLOCATORS]
    openmp = python.parent.parent / "lib" / _INTEL_OPENMP
    return Libraries(
        allocators=tuple(name for name in found if name),
        intel_openmp=str(openmp.absolute()) if openmp.exists() else None,
    )


def huge_pages_on_request(root: Path = Path("/")) -> bool:
    """Whether memory gets huge pages where a program asks for them, and not elsewhere."""
    return "[madvise]" in text_of(root / "sys/kernel/mm/transparent_hugepage/enabled")


def candidates(
    *,
    cores: int,
    instances: int,
    threads: int,
    environ: Mapping[str, str],
    there: Libraries,
    huge_pages: bool,
) -> tuple[Candidate, ...]:
    """Each turns one knob of the current setting: ``instances`` of ``threads`` on some of so many ``cores``.

    What the user's variables have already is left out.
    """

    def turned(knob: Knob, **variables: str) -> Candidate:
        return Candidate(knob=knob, instances=instances, threads=threads, variables=variables)

    def before(library: str) -> str:
        return ":".join(filter(None, (library, environ.get(_PRELOAD, ""))))

    found = list(_placements(cores, instances, threads))
    found += [turned(Knob.ALLOCATOR, LD_PRELOAD=before(name)) for name in there.allocators]
    found.append(turned(Knob.ALLOCATOR, MALLOC_MMAP_THRESHOLD_=_KEPT_BYTES, MALLOC_TRIM_THRESHOLD_=_KEPT_BYTES))
    if huge_pages:
        found.append(turned(Knob.HUGE_PAGES, GLIBC_TUNABLES="glibc.malloc.hugetlb=1"))
        found.append(turned(Knob.HUGE_PAGES, THP_MEM_ALLOC_ENABLE="1"))
    if threads > 1:
        found.append(turned(Knob.OPENMP, OMP_PROC_BIND="close"))
        found.append(turned(Knob.OPENMP, OMP_WAIT_POLICY="active"))
        if there.intel_openmp:
            found.append(turned(Knob.OPENMP, LD_PRELOAD=before(there.intel_openmp), **_KMP))
    return tuple(one for one in found if one.knob is Knob.PLACEMENT or not one.variables.items() <= environ.items())


def _placements(cores: int, instances: int, threads: int) -> Iterator[Candidate]:
    """One instance, and as many as there is room for, of 1, 2, 4, ... threads and of all cores."""
    counts = sorted({*(1 << power for power in range(cores.bit_length())), cores})
    shapes = dict.fromkeys((number, each) for each in counts for number in (1, cores // each))
    for number, each in shapes:
        if (number, each) != (instances, threads):
            yield Candidate(knob=Knob.PLACEMENT, instances=number, threads=each, variables={})


def combined(trials: Sequence[Trial], *, instances: int, threads: int) -> tuple[Candidate, ...]:
    """What gained most of each knob, at once: for items per second, and for one instance where that is another.

    Nothing where fewer than two knobs gain.
    """
    knobs = (Knob.ALLOCATOR, Knob.HUGE_PAGES, Knob.OPENMP)
    gained = [best(tuple(trial for trial in trials if trial.candidate.knob is knob)) for knob in knobs]
    settings = [trial.candidate.variables for trial in gained if trial]
    places = [trial for trial in trials if trial.candidate.knob is Knob.PLACEMENT]
    found = []
    for some in (places, [trial for trial in places if trial.candidate.instances == 1]):
        place = best(tuple(some))
        if len(settings) + (place is not None) < 2:
            continue
        found.append(
            Candidate(
                knob=Knob.COMBINED,
                instances=place.candidate.instances if place else instances,
                threads=place.candidate.threads if place else threads,
                variables=_together(settings),
            )
        )
    return tuple(one for number, one in enumerate(found) if one not in found[:number])


def _together(settings: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """All variables; of those that name what is preloaded, every library once."""
    merged: dict[str, str] = {}
    for variables in settings:
        for name, value in variables.items():
            if name == _PRELOAD and name in merged:
                value = ":".join(dict.fromkeys((*merged[name].split(":"), *value.split(":"))))
            merged[name] = value
    return merged
