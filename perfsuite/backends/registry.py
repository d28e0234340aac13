"""What the backends together are: the names, packages and variables that the rest of perfsuite asks for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING

from perfsuite.backends import BACKENDS
from perfsuite.spec import Support, Variant, matrix, workload

if TYPE_CHECKING:
    from perfsuite.backends.base import Backend
    from perfsuite.models.base import Model
    from perfsuite.records.measurement import Stack

NAMES = tuple(backend.name for backend in BACKENDS)
#: The mark of what ``Backend.published`` names.
PUBLISHED = "published"


def backend_named(name: str) -> Backend:
    """The backend of that name; KeyError if there is none."""
    try:
        return next(backend for backend in BACKENDS if backend.name == name)
    except StopIteration:
        raise KeyError(name) from None


def variant_support(model: Model, variant: Variant, packages: Mapping[str, str], flags: Collection[str]) -> Support:
    """Whether the variant's backend can run it in a stack of these packages, and the model has shapes for it."""
    if not model.shapes(workload(variant.workload)):
        return Support(reason=f"model {model.name} has no shapes for the workload {variant.workload}")
    backend = backend_named(variant.backend)
    return backend.support(model.reads, variant.mode, variant.precision, packages, flags)


def own_backend(packages: Collection[str]) -> Backend:
    """What a stack of these packages is there for: the first backend that it has, or else the last."""
    return next((backend for backend in BACKENDS if backend.package in packages), BACKENDS[-1])


def slug_of(stack: Stack) -> str:
    """A short, file-system safe name: the backends' own packages with their versions, for they decide speed."""
    installed = ((backend.alias, stack.packages.get(backend.package)) for backend in BACKENDS)
    return "_".join(f"{alias}-{version}" for alias, version in installed if version).replace("+", "-") or "no-torch"


def variants(models: Iterable[str], workloads: Iterable[str]) -> Iterator[Variant]:
    """Every combination with every backend, supported or not, in reading order."""
    return matrix(tuple(models), NAMES, tuple(workloads))


def marks(variant: Variant) -> tuple[str, ...]:
    """The pytest marks that select it."""
    # A baseline may hold a backend's that this version does not know.
    published = {one.name: one.published for one in BACKENDS}.get(variant.backend, frozenset())
    is_published = (variant.model, variant.mode, variant.precision) in published
    return (*variant.names, PUBLISHED) if is_published else variant.names


def decisive_packages() -> tuple[str, ...]:
    """The distributions whose code some backend's forward pass runs, PyTorch's first."""
    return tuple(dict.fromkeys(chain.from_iterable(backend.packages for backend in reversed(BACKENDS))))


def decisive_variables() -> tuple[str, ...]:
    """How the variables begin that decide some backend's speed."""
    return tuple(dict.fromkeys(chain.from_iterable(backend.variables for backend in BACKENDS)))
