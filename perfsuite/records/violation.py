"""One thing that is not as expected. Worded by ``perfsuite/report`` alone; nobody reads meaning out of its words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What is not as expected; beside each, what ``subject``, ``expected`` and ``found`` then hold."""

    # Of outputs; where there are several, ``subject`` says which, and at which shape.
    NOT_FINITE = "not finite"  # values that are NaN or infinite: 0, their number; subject baseline: a stored one's
    SHAPE = "shape"  # the outputs' shapes, as text
    SQNR_LOW = "SQNR too low"  # dB: the floor, the worst sample's
    SQNR_HIGH = "SQNR too high"  # dB: the ceiling, the worst sample's; the precision was not applied
    COSINE = "centred cosine"  # the floor, the worst sample's
    AGREEMENT = "agreement"  # the floor, the share of decisions that stay
    DIGEST = "digest"  # subject weights or inputs: the digests, their first twelve digits
    OUTPUTS = "outputs"  # the names of the outputs
    FIGURE = "figure"  # subject its name: the bound, the model's own figure
    ARTEFACT = "artefact"  # the largest difference from what the process that saved it answered: 0, found
    STALE_ARTEFACT = "stale artefact"  # the digests of the weights: the model's, the artefact's
    # Of kernels.
    PRECISION = "precision"  # subject a type: shares of the multiply-accumulates
    ISA = "instruction set"  # subject a type: shares of its work on ``best`` or better
    REQUIRED_ISA = "required instruction set"  # subject what --require-isa asks for
    REFERENCE_KERNELS = "reference kernels"  # the accepted and the found share of work or time, whichever is more
    GRAPH_BREAKS = "graph breaks"  # numbers
    COMPILED_GRAPHS = "compiled graphs"  # numbers
    RECOMPILATIONS = "recompilations"  # numbers
    CREATIONS = "primitives made anew"  # numbers, of a pass
    UNREAD = "unread lines"  # shares of those and the lines of a pass's kernels
    # Of what a variant costs beside latency; all numbers are of one worker.
    PEAK_MEMORY = "peak memory"  # bytes
    MEMORY_GROWTH = "memory growth"  # bytes an iteration
    FIRST_INFERENCE = "first inference"  # seconds
    PREPARE = "preparing"  # seconds
    COMPILE = "compiling"  # seconds, with an empty cache
    IMPORT = "importing"  # seconds
    ARTEFACT_SIZE = "artefact size"  # bytes
    ACCURACY_DRIFT = "accuracy drift"  # dB of SQNR against FP32, inside its window
    STALLS = "stalls"  # the share of a worker's time that passes far longer than its others take
    # Of what can be run.
    SUPPORT = "support"  # what the other side runs, this one cannot; ``why`` is its reason


class Against(StrEnum):
    """What a violation was held against."""

    EXPECTATION = "expectation"  # a window, or gates/expected.toml
    REFERENCE = "reference"  # FP32 of the same stack
    BASELINE = "baseline"  # the stored baseline, or the other stack of a comparison
    BASELINE_REFERENCE = "baseline's reference"  # FP32 of this stack against FP32 of that


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A share and whose it is."""

    name: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """Found in the place of expected; ``where`` names kernels, graph breaks or values, the most important first.

    ``parts`` are the types or sets that did the work instead, or of reference kernels the work and the
    time. ``best`` is the instruction set that the machine, or the baseline, has for it, ``why`` what keeps
    it from being used, in the words of whoever knows: a capability's reason, a support's; ``variable`` the
    environment variable that does so.
    """

    kind: Kind
    expected: int | float | str | None = None  # a number read from a file stays one: 3 breaks, not 3.0
    found: int | float | str | None = None
    against: Against = Against.EXPECTATION
    subject: str = ""
    where: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    best: str = ""
    why: str = ""
    variable: str = ""

    @property
    def key(self) -> tuple[Kind, str]:
        """What it is about: two sides that both violate it differ in nothing but degree."""
        return self.kind, self.subject
