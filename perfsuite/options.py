"""perfsuite's options for pytest, and what one pytest run holds."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from perfsuite.arguments import BASELINES
from perfsuite.errors import PerfsuiteError
from perfsuite.machine.preload import LD_PRELOAD, preloaded
from perfsuite.measure.environment import decisive
from perfsuite.measure.placement import class_of, place
from perfsuite.measure.stack import current_stack
from perfsuite.places import WORKER_OPTIONS, add_worker_options
from perfsuite.quantities import html_output, output, part, seconds, share
from perfsuite.records.measurement import Failure
from perfsuite.records.outcome import Policy
from perfsuite.records.pair import Pair
from perfsuite.records.session import Session, Shard, Unsupported
from perfsuite.selection import asked_for
from perfsuite.settings import CONFIRM_POLICIES, REQUIRABLE_ISAS, WEIGHTS_POLICIES, Settings, read_settings
from perfsuite.spec import WORKLOADS, Variant, named_workloads
from perfsuite.stacks.build import ready_stack
from perfsuite.stacks.definitions import CURRENT, stack_definitions
from perfsuite.stacks.slugs import baseline_slug
from perfsuite.store.baselines import Baselines

if TYPE_CHECKING:
    from perfsuite.confirm.run import Confirmed
    from perfsuite.measure.campaign import Journal
    from perfsuite.measure.plan import Plan
    from perfsuite.measure.rig import Rig
    from perfsuite.measure.stack import ReadyStack
    from perfsuite.records.accuracy import Accuracy
    from perfsuite.records.baseline import Acceptance
    from perfsuite.records.evidence import Evidence
    from perfsuite.records.explanation import EvidenceChange, Explanation
    from perfsuite.records.history import Trend
    from perfsuite.records.machine import MachineClass
    from perfsuite.records.measurement import Measurement, Stack
    from perfsuite.records.outcome import Outcome
    from perfsuite.report.github import Annotation
    from perfsuite.spec import Support

#: What is selected when neither --workload nor -m names a workload.
CHECKED_WORKLOAD, TIMED_WORKLOAD = "smoke", "latency"

_SETTINGS_OPTIONS = (
    *WORKER_OPTIONS, "weights", "replicates", "measure_s", "step_timeout_s", "baselines", "regression_ratio",
    "require_isa", "matters", "confirm",
)  # fmt: skip
#: Those that mean nothing without --benchmark-only.
_TIMING_OPTIONS = (
    "replicates", "measure_s", "resume", "no_evidence", "baseline_update", "baseline_update_new", "accept_lost",
    "regression_ratio", "require_verdict", "matters", "confirm", "budget", "report_html", "report_markdown",
    "report_issue", "shard",
)  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Run:
    """What one pytest run holds; the only state, kept in the config's stash."""

    settings: Settings
    workloads: tuple[str, ...] | None
    timing: bool
    observing: bool
    update: bool
    update_new: bool
    baseline_stack: str | None
    policy: Policy
    resume: bool
    baselines: Baselines
    root: Path
    #: The part of a night that this run measures; None for all.
    shard: Shard | None = None
    #: Where to write what came of it as Markdown, and what is red as the text of an issue.
    report_markdown: Path | None = None
    report_issue: Path | None = None
    #: Where to write a page of what came of it.
    report_html: Path | None = None
    #: Another stack than the interpreter's own.
    ready: ReadyStack | None = None
    machine: MachineClass | None = None
    rig: Rig | None = None
    journal: Journal | None = None
    plan: Plan | None = None
    #: How many replicates of each an earlier run had measured, and how many pairs.
    resumed: Mapping[Variant, int] = field(default_factory=dict)
    resumed_pairs: int = 0
    results: dict[Variant, Measurement | Failure] = field(default_factory=dict)
    #: Those whose workers failed: resuming this run measures them again.
    unmeasured: frozenset[Variant] = frozenset()
    #: What was measured of its variants before: how long it takes goes by it.
    known: dict[Variant, Measurement] = field(default_factory=dict)
    #: What the whole run took, and confirming of it.
    campaign_s: float = 0.0
    confirm_s: float = 0.0
    #: Why variants cannot run here, and which of them were asked for.
    unsupported: dict[Variant, Support] = field(default_factory=dict)
    untimed: dict[Variant, Support] = field(default_factory=dict)
    outcomes: dict[Variant, Outcome] = field(default_factory=dict)
    confirmed: dict[Variant, Confirmed] = field(default_factory=dict)
    explanations: dict[Variant, Explanation] = field(default_factory=dict)
    accuracies: list[tuple[Variant, Accuracy]] = field(default_factory=list)
    observed: list[tuple[Variant, Evidence]] = field(default_factory=list)
    evidence_changes: dict[Variant, tuple[EvidenceChange, ...]] = field(default_factory=dict)
    benchmarks: list[Any] = field(default_factory=list)
    acceptance: Acceptance | None = None
    not_accepted: str | None = None
    #: What is red, of all tests that have reported.
    annotations: list[Annotation] = field(default_factory=list)
    #: What the history has of what a page is to show.
    trends: dict[Variant, tuple[Trend, ...]] = field(default_factory=dict)
    #: What is to be said of the history, where the session is not in it.
    history_lines: list[str] = field(default_factory=list)
    #: What is to be said of the page.
    page_lines: list[str] = field(default_factory=list)

    @property
    def verdicts(self) -> dict[str, str]:
        """What came of each variant so far, by its id."""
        return {variant.id: str(outcome.verdict) for variant, outcome in self.outcomes.items()}

    @property
    def session(self) -> Session:
        """The session that is measured, without its measurements; there is one once measuring has begun."""
        assert self.journal is not None
        failures = tuple(one for one in self.results.values() if isinstance(one, Failure))
        unsupported = (
            Unsupported(variant=variant, reason=support.reason or "") for variant, support in self.untimed.items()
        )
        return replace(self.journal.header, failures=failures, unsupported=tuple(unsupported))

    @property
    def whole_session(self) -> Session:
        """The same with its measurements."""
        measured = tuple(one for one in self.results.values() if not isinstance(one, Failure))
        return replace(self.session, measurements=measured)

    @property
    def pairs(self) -> list[Pair]:
        """What this run has stepped side by side."""
        return self.journal.of(Pair)[self.resumed_pairs :] if self.journal else []

    @property
    def stack(self) -> Stack:
        return self.ready.stack if self.ready else current_stack()

    @property
    def at_hand(self) -> tuple[ReadyStack, ...]:
        """The stack that is measured, and the interpreter's own."""
        own = ready_stack(CURRENT, {}, project=self.root, say=_say)
        return (self.ready, own) if self.ready else (own,)


RUN = pytest.StashKey[Run]()


def add_options(parser: pytest.Parser) -> None:
    """Declare them; each one's default is in Settings."""
    group = parser.getgroup("perfsuite", "CPU inference: correctness, kernels and speed of every variant")
    add = group.addoption
    names = ", ".join(workload.name for workload in WORKLOADS)
    add("--workload", metavar="NAMES", help=f"comma-separated workloads, or all ({names}); by default "
        f"{CHECKED_WORKLOAD} for correctness and kernels, {TIMED_WORKLOAD} for timing")  # fmt: skip
    add("--stack", metavar="NAME", help="run in this stack, built if need be (default: the interpreter's own), "
        "perhaps with the project's code of a commit, as NAME@COMMIT; see `perfsuite stacks list`")  # fmt: skip
    add_worker_options(add)
    add("--weights", choices=WEIGHTS_POLICIES, help="where weights come from (default: auto)")
    add("--replicates", type=int, metavar="N", help="worker processes that time each variant (default: 2)")
    add("--measure-s", type=float, metavar="S", help="seconds of timed iterations in each (default: 2)")
    add("--step-timeout-s", type=float, metavar="S", help="when a worker's step counts as hung")
    add("--resume", action="store_true", help="go on with the newest interrupted timing run")
    add("--no-evidence", action="store_true", help="time only: do not look afterwards at which kernels ran")
    add("--require-isa", choices=REQUIRABLE_ISAS, help="fail the kernels of what would use it where it is not usable")
    add(BASELINES, type=Path, metavar="DIR", help="where baselines are kept (default: baselines)")
    add("--baseline-stack", metavar="NAME", help="compare with this stack's baseline (default: the same stack's, "
        "or else the newest accepted); a name as for --stack, or as a baseline's file is named")  # fmt: skip
    add("--baseline-update", action="store_true", help="accept what was measured as the new baseline")
    add("--baseline-update-new", action="store_true", help="accept only what has no baseline yet")
    add("--accept-lost", action="store_true",
        help="let pass what the baseline does and this run does not; with --baseline-update for good")  # fmt: skip
    add(
        "--matters",
        type=share,
        metavar="SHARE",
        help="the least slowdown that matters, such as 5%% (default: 2%%)",
    )
    add("--confirm", choices=CONFIRM_POLICIES, help="whom to step side by side with the baseline's own stack: suspects "
        "(default), all, which sees the least, or none, which cannot tell it from the machine")  # fmt: skip
    add("--budget", type=seconds, metavar="TIME", help="time for the whole run, such as 20m (default: what it "
        "needs, which it says at the start)")  # fmt: skip
    add("--regression-ratio", type=float, metavar="R",
        help="with --confirm none slower by more than this fails (default: 1.25)")  # fmt: skip
    add("--shard", type=part, metavar="N/COUNT",
        help="measure one of COUNT parts of what is selected, as others do on identical runners")  # fmt: skip
    add("--report-markdown", type=output, metavar="FILE",
        help="write what came of it as Markdown, short enough for a comment on a pull request")  # fmt: skip
    add("--report-issue", type=output, metavar="FILE",
        help="write what is red as the text of an issue: a title, an empty line, and the body")  # fmt: skip
    add("--report-html", type=html_output, metavar="FILE",
        help="write a page to look at: one file that needs no network")  # fmt: skip
    add("--require-verdict", action="store_true",
        help="fail what cannot be judged: missing-baseline, inconclusive")  # fmt: skip


def read_run(config: pytest.Config) -> Run:
    """The options of this run, checked; PerfsuiteError on what cannot be meant."""
    option = config.getoption
    if not option("benchmark_only"):
        _refuse_timing_options(config)
    timing = bool(option("benchmark_only")) and not option("collectonly")
    asked = {name: option(name) for name in _SETTINGS_OPTIONS} | {"budget_s": option("budget")}
    settings = read_settings(config.rootpath, asked)
    run = Run(
        settings=settings,
        workloads=_workloads(option("workload"), option("markexpr")),
        timing=timing,
        observing=not option("no_evidence"),
        update=option("baseline_update"),
        update_new=option("baseline_update_new"),
        baseline_stack=None,
        policy=Policy(
            require_verdict=option("require_verdict"),
            accept_lost=option("accept_lost"),
            accept_speed=option("baseline_update"),
        ),
        resume=option("resume"),
        shard=Shard(number=option("shard")[0], count=option("shard")[1]) if option("shard") else None,
        report_markdown=option("report_markdown"),
        report_issue=option("report_issue"),
        report_html=option("report_html"),
        baselines=Baselines(settings.baselines, most=settings.sessions),
        root=config.rootpath,
    )
    if name := option("stack"):
        run.ready = ready_stack(
            name, stack_definitions(settings.stacks, config.rootpath), project=config.rootpath, say=_say
        )
    if name := option("baseline_stack"):
        accepted = run.baselines.stacks(class_of(place(settings)))
        run.baseline_stack = baseline_slug(name, stack_definitions(settings.stacks, config.rootpath), accepted)
    # Here, for a fixture's error would come with every test.
    preloaded(os.environ, settings.preload, run.ready.python if run.ready else Path(sys.executable))
    if timing:
        if option("benchmark_disable"):
            raise PerfsuiteError("--benchmark-disable: there is nothing to run with --benchmark-only then")
        if option("numprocesses", None):
            raise PerfsuiteError("-n: timings need the machine for themselves; run --benchmark-only without it")
        run.machine = class_of(place(settings))
        run.baselines.check()
    return run


def _refuse_timing_options(config: pytest.Config) -> None:
    """Nothing that the user asks for is ignored in silence."""
    given = [name for name in _TIMING_OPTIONS if config.getoption(name) not in (None, False)]
    if given:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise PerfsuiteError(f"{names}: of a timing run only; add --benchmark-only")


def _say(text: str) -> None:
    print(text, file=sys.__stderr__, flush=True)


def _workloads(chosen: str | None, mark_expression: str) -> tuple[str, ...] | None:
    if chosen is not None:
        return named_workloads(chosen)
    try:
        named = asked_for("-m", mark_expression)
    except PerfsuiteError:  # pytest says so itself, or takes what we do not: mark(key=value)
        return None
    return tuple(workload.name for workload in WORKLOADS if workload.name in named) or None


def command_again(config: pytest.Config, run: Run, variants: Iterable[Variant]) -> str:
    """The one command that measures these as this run did: its options, and the variables that decide speed."""
    asked = list(variants)
    environment = run.rig.environment if run.rig else {}
    # Records hold no folders, and what is preloaded is the setting's as well.
    variables = [
        f"{name}={shlex.quote(os.environ[name])}"
        for name, value in decisive(os.environ).items()
        if name in environment and (name == LD_PRELOAD or environment[name] == value)
    ]
    words = ["pytest", "--benchmark-only", "-k", " or ".join(variant.id for variant in asked)]
    words += ["--workload", ",".join(dict.fromkeys(variant.workload for variant in asked))]
    for name in ("stack", "baseline_stack", *_SETTINGS_OPTIONS):
        value = config.getoption(name)
        if name == "launch_mode" and value is not None:
            words.append(f"--{value}-mode")
        elif isinstance(value, list):
            words.append(f"--{name.replace('_', '-')}={','.join(value)}")
        elif value is not None:
            words.append(f"--{name.replace('_', '-')}={value}")
    return " ".join((*variables, *map(shlex.quote, words)))


def variant_of(item: pytest.Item) -> Variant | None:
    """What a test of the suite is about; None for all other tests."""
    if not isinstance(item, pytest.Function) or not hasattr(item, "callspec"):
        return None
    variant = item.callspec.params.get("variant")
    return variant if isinstance(variant, Variant) else None
