"""What else was not the same when two measurements were made."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from perfsuite.backends.registry import decisive_packages
from perfsuite.records.explanation import Notes, Setting
from perfsuite.records.measurement import Measurement

#: From this factor on it is told that kernels were observed at another pace (judgement: on a virtual machine neighbours
#: make the medians of blocks differ by 10 to 30 %).
_LEAST_PACE = 1.25
#: Packages whose code runs inside a forward pass, the backends' and the models'; the others are only counted.
_DECISIVE = (*decisive_packages(), "torchvision", "transformers")


def notes(before: Measurement, after: Measurement) -> Notes:
    """Variables, packages, machines, weights and inputs, unread lines."""
    installed = before.stack.packages, after.stack.packages
    everything = _changed(*installed, sorted(installed[0].keys() | installed[1].keys()))
    packages = _changed(*installed, _DECISIVE)
    pythons = _changed({"Python": before.stack.python}, {"Python": after.stack.python}, ("Python",))
    seen_s = [one.evidence.forward_s if one.evidence else 0.0 for one in (before, after)]
    unread = [one.evidence.unread.count if one.evidence else 0 for one in (before, after)]
    return Notes(
        variables=_changed(
            before.environment, after.environment, sorted(before.environment.keys() | after.environment.keys())
        ),
        packages=(*pythons, *packages),
        other_packages=len(everything) - len(packages),
        machines=(before.machine, after.machine) if before.machine != after.machine else None,
        # Another model has other weights.
        other_digests=before.variant.model == after.variant.model and before.digests != after.digests,
        unread_before=unread[0],
        unread_after=unread[1],
        observed_s=(seen_s[0], seen_s[1]) if _is_another_pace(before, after, *seen_s) else None,
    )


def _is_another_pace(before: Measurement, after: Measurement, before_s: float, after_s: float) -> bool:
    if not before_s or not after_s:
        return False
    pace = (after.latency_s / after_s) / (before.latency_s / before_s)
    return abs(math.log(pace)) > math.log(_LEAST_PACE)


def instances_changed(before: Measurement, after: Measurement) -> Setting | None:
    """How many instances of how many threads ran at once, if not as many instances."""
    if before.machine.instances == after.machine.instances:
        return None
    was, now = (f"{one.machine.instances} x {one.machine.threads}" for one in (before, after))
    return Setting(name="instances x threads", before=was, after=now)


def threads_changed(before: Measurement, after: Measurement) -> Setting | None:
    """How many threads computed, if not as many."""
    counts = [
        (m.evidence and str(m.evidence.threads), m.environment.get("OMP_NUM_THREADS"), str(m.machine.threads))
        for m in (before, after)
    ]
    for was, now in zip(*counts, strict=True):
        if was and now and was != now:
            return Setting(name="threads", before=was, after=now)
    return None


def _changed(before: Mapping[str, str], after: Mapping[str, str], names: Iterable[str]) -> tuple[Setting, ...]:
    settings = (Setting(name=name, before=before.get(name), after=after.get(name)) for name in names)
    return tuple(setting for setting in settings if setting.before != setting.after)
