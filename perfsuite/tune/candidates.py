"""What may be better on a machine -> candidates. Pure, but for ``libraries`` and ``huge_pages_on_request``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from perfsuite.machine.preload import ALLOCATORS, INTEL_OPENMP, find_library, listed
from perfsuite.machine.sysfs import text_of
from perfsuite.records.tuning import Candidate, Knob, Trial, best

#: As run_cpu and ipexrun set them for libiomp5.
_KMP = {"KMP_AFFINITY": "granularity=fine,compact,1,0", "KMP_BLOCKTIME": "1"}
#: 1 GiB: what glibc keeps, and serves from its heap, of large tensors, in place of asking the kernel for each anew.
_KEPT_BYTES = str(1 << 30)


def libraries(python: Path) -> tuple[str, ...]:
    """The allocators and OpenMP runtimes that can be preloaded, by the names that the setting takes."""
    return tuple(name for name in (*ALLOCATORS, INTEL_OPENMP) if find_library(name, python))


def huge_pages_on_request(root: Path = Path("/")) -> bool:
    """Whether memory gets huge pages where a program asks for them, and not elsewhere."""
    return "[madvise]" in text_of(root / "sys/kernel/mm/transparent_hugepage/enabled")


def candidates(
    *,
    cores: int,
    instances: int,
    threads: int,
    preload: tuple[str, ...],
    environ: Mapping[str, str],
    there: Sequence[str],
    huge_pages: bool,
) -> tuple[Candidate, ...]:
    """Each turns one knob of the current setting: ``instances`` of ``threads`` on some of so many ``cores``.

    ``there`` are libraries that could be preloaded beside those of the setting. What the user's variables and the
    setting have already is left out.
    """

    def turned(knob: Knob, *libraries: str, **variables: str) -> Candidate:
        return Candidate(
            knob=knob,
            instances=instances,
            threads=threads,
            preload=_stacked((*libraries, *preload)),
            variables=variables,
        )

    new = [name for name in there if name not in preload and not _is_preloaded(name, environ)]
    found = [
        Candidate(knob=Knob.PLACEMENT, instances=number, threads=each, preload=preload, variables={})
        for number, each in _placements(cores, instances, threads)
    ]
    found += [turned(Knob.ALLOCATOR, name) for name in new if name in ALLOCATORS]
    found.append(turned(Knob.ALLOCATOR, MALLOC_MMAP_THRESHOLD_=_KEPT_BYTES, MALLOC_TRIM_THRESHOLD_=_KEPT_BYTES))
    if huge_pages:
        found.append(turned(Knob.HUGE_PAGES, GLIBC_TUNABLES="glibc.malloc.hugetlb=1"))
        found.append(turned(Knob.HUGE_PAGES, THP_MEM_ALLOC_ENABLE="1"))
    if threads > 1:
        found.append(turned(Knob.OPENMP, OMP_PROC_BIND="close"))
        found.append(turned(Knob.OPENMP, OMP_WAIT_POLICY="active"))
        if INTEL_OPENMP in new:
            found.append(turned(Knob.OPENMP, INTEL_OPENMP, **_KMP))
    return tuple(one for one in found if not one.variables or not one.variables.items() <= environ.items())


def _is_preloaded(name: str, environ: Mapping[str, str]) -> bool:
    return any(Path(file).name.startswith(f"lib{name}.so") for file in listed(environ))


def _stacked(names: Iterable[str]) -> tuple[str, ...]:
    """Each library once, and of allocators the first alone: it is the one that serves malloc."""
    found: dict[str, None] = {}
    for name in names:
        if name not in ALLOCATORS or found.keys().isdisjoint(ALLOCATORS):
            found[name] = None
    return tuple(found)


def _placements(cores: int, instances: int, threads: int) -> Iterator[tuple[int, int]]:
    """One instance, and as many as there is room for, of 1, 2, 4, ... threads and of all cores."""
    counts = sorted({*(1 << power for power in range(cores.bit_length())), cores})
    shapes = dict.fromkeys((number, each) for each in counts for number in (1, cores // each))
    for number, each in shapes:
        if (number, each) != (instances, threads):
            yield number, each


def combined(
    trials: Sequence[Trial], *, instances: int, threads: int, preload: tuple[str, ...]
) -> tuple[Candidate, ...]:
    """What gained most of each knob, at once: for items per second, and for one instance where that is another.

    Nothing where fewer than two knobs gain.
    """
    knobs = (Knob.ALLOCATOR, Knob.HUGE_PAGES, Knob.OPENMP)
    gained = [best(tuple(trial for trial in trials if trial.candidate.knob is knob)) for knob in knobs]
    settings = [trial.candidate for trial in gained if trial]
    libraries = [name for one in settings for name in one.preload if name not in preload]
    variables = {name: value for one in settings for name, value in one.variables.items()}
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
                preload=_stacked((*libraries, *preload)),
                variables=variables,
            )
        )
    return tuple(one for number, one in enumerate(found) if one not in found[:number])
