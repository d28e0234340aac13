"""Every pytest hook of perfsuite, but those of several processes and of what a run's end tells."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from perfsuite import suite
from perfsuite.backends import BACKENDS
from perfsuite.backends.registry import NAMES, PUBLISHED, marks, slug_of, variant_support, variants
from perfsuite.errors import BaselineError, PerfsuiteError
from perfsuite.explain.changes import evidence_changes
from perfsuite.github import in_job, place_of
from perfsuite.judge.colour import colour, own_colour
from perfsuite.judge.outcome import judge_support, judge_variant
from perfsuite.limits import check_entries
from perfsuite.machine.cpu import read_cpu
from perfsuite.models import load_models
from perfsuite.options import CHECKED_WORKLOAD, TIMED_WORKLOAD, Run, add_options, read_run, variant_of
from perfsuite.options import RUN as _RUN
from perfsuite.records.measurement import Measurement
from perfsuite.records.outcome import Colour, Outcome
from perfsuite.records.speed import Verdict
from perfsuite.replay import ReplayTimer, replay
from perfsuite.report.explain import explanation_lines
from perfsuite.report.github import Annotation
from perfsuite.report.outcome import outcome_lines, outcome_properties
from perfsuite.report.text import wrapped
from perfsuite.spec import WORKLOADS, Mode, Precision, Support, Variant
from perfsuite.store.documents import KEY, head_fields, with_verdicts

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from perfsuite.measure.rig import Rig
    from perfsuite.models.base import Model
    from perfsuite.records.evidence import Evidence

pytest_plugins = ("perfsuite.parallel.hooks", "perfsuite.sharding", "perfsuite.terminal")
#: The verdicts after which what earlier sessions say of a variant's speed holds no more.
_MOVED = (Verdict.IMPROVED, Verdict.REGRESSED)


def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser)


@pytest.hookimpl(tryfirst=True)  # pytest-benchmark's asks for the machine, which depends on our settings
def pytest_configure(config: pytest.Config) -> None:
    try:
        run = read_run(config)
        models = load_models(run.settings.models)
        workloads = tuple(workload.name for workload in WORKLOADS)
        check_entries(run.settings.match, list(variants(models, workloads)))
    except PerfsuiteError as error:
        raise pytest.UsageError(str(error)) from error
    config.stash[_RUN] = run
    if config.option.benchmark_only:  # any other run is of the project's own tests, which should stay quick
        suite.collect(config)
    for name in (*models, *NAMES, *Mode, *Precision, *workloads):
        config.addinivalue_line("markers", f"{name}: every variant of {name}")
    publishers = " and ".join(backend.name for backend in BACKENDS if backend.published)
    config.addinivalue_line("markers", f"{PUBLISHED}: the variants of {publishers}'s published example scripts")
    config.addinivalue_line("markers", "kernels: which kernels every variant runs, held against what is expected")


def pytest_unconfigure(config: pytest.Config) -> None:
    run = config.stash.get(_RUN, None)
    if run is not None and run.rig is not None:
        run.rig.__exit__(None, None, None)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize ``variant`` over the matrix; unsupported ones are skipped with their reason.

    Not so in a timing run where the baseline has them: they are lost.
    """
    if "variant" not in metafunc.fixturenames:
        return
    run = metafunc.config.stash[_RUN]
    timed = "benchmark" in metafunc.fixturenames
    models = load_models(run.settings.models)
    workloads = run.workloads or (TIMED_WORKLOAD if timed else CHECKED_WORKLOAD,)
    packages, flags = run.stack.packages, read_cpu().flags
    known = list(variants(models, workloads))
    accepted = _accepted(run, workloads) if timed else frozenset()
    for name in sorted({part for one in accepted for part in (one.model, one.backend)} - models.keys() - {*NAMES}):
        metafunc.config.addinivalue_line("markers", f"{name}: of the baseline, and nobody knows it any more")
    params = []
    for variant in (*known, *sorted(accepted.difference(known), key=lambda one: one.id)):
        its_marks = [getattr(pytest.mark, name) for name in marks(variant)]
        support = _support(variant, models, packages, flags)
        if support.reason is not None:
            run.unsupported[variant] = support
            if variant in accepted:
                ignored = run.settings.limits(variant).ignore
                run.outcomes[variant] = judge_support(variant, support, in_baseline=True, ignored=ignored)
            else:
                its_marks.append(pytest.mark.skip(reason=f"unsupported: {support.reason}"))
        if timed:
            its_marks.append(pytest.mark.benchmark(timer=ReplayTimer(), group=f"{variant.model} {variant.workload}"))
        params.append(pytest.param(variant, id=variant.id, marks=its_marks))
    metafunc.parametrize("variant", params)


def _accepted(run: Run, workloads: Collection[str]) -> frozenset[Variant]:
    """What the baseline has of these workloads; nothing outside a timing run."""
    if run.machine is None:
        return frozenset()
    found = run.baselines.newest(run.machine, run.stack, stack_slug=run.baseline_stack)
    return frozenset(variant for variant in found if variant.workload in workloads)


def _support(
    variant: Variant, models: Mapping[str, Model], packages: Mapping[str, str], flags: Collection[str]
) -> Support:
    if variant.model not in models:
        return Support(reason=f"there is no model {variant.model}; [tool.perfsuite.models] names one's own")
    if variant.backend not in NAMES:
        return Support(reason=f"there is no backend {variant.backend} in this perfsuite")
    return variant_support(models[variant.model], variant, packages, flags)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A timing run runs nothing but timings, any other run none of ours; a project's own benchmarks run in both."""
    timing = bool(config.getoption("benchmark_only"))
    wanted: list[pytest.Item] = []
    others: list[pytest.Item] = []
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        ours = "variant" in fixtures
        is_timing = "benchmark" in fixtures
        (wanted if is_timing == timing or (is_timing and not ours) else others).append(item)
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = wanted


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Measure all selected variants, pass by pass, and judge them, before the first test reports."""
    run = session.config.stash[_RUN]
    if not run.timing or session.config.option.collectonly or session.testsfailed:
        return
    asked = {variant: item for item in session.items if (variant := variant_of(item))}
    variants = [variant for variant in asked if variant not in run.unsupported]
    run.untimed = {variant: run.unsupported[variant] for variant in asked if variant in run.unsupported}
    run.outcomes = {variant: found for variant, found in run.outcomes.items() if variant in asked}
    if variants:
        _measure(session, run, variants)
    for variant, item in asked.items():
        if not isinstance(run.results.get(variant), Measurement):  # nothing that pytest-benchmark could report
            item.add_marker(pytest.mark.filterwarnings("ignore:Benchmark fixture was not used at all"))


def _measure(session: pytest.Session, run: Run, variants: Sequence[Variant]) -> None:
    from perfsuite import session as stages
    from perfsuite.measure.lock import machine_lock

    try:
        with machine_lock("pytest --benchmark-only"):
            stages.night(run, _rig(run), variants)
    except PerfsuiteError as error:
        raise pytest.UsageError(str(error)) from error


def _rig(run: Run) -> Rig:
    if run.rig is None:
        from perfsuite.measure.environment import PATIENT
        from perfsuite.measure.rig import Rig

        environ = os.environ if run.timing else {**PATIENT, **os.environ}
        run.rig = Rig(run.settings, ready=run.ready, environ=environ)
    return run.rig


@pytest.fixture(scope="session")
def rig(request: pytest.FixtureRequest) -> Rig:
    """What runs variants in workers of their own."""
    return _rig(request.config.stash[_RUN])


@pytest.fixture
def record_accuracy(request: pytest.FixtureRequest, variant: Variant) -> Any:
    """Call with an Accuracy: it joins the table at the end of the run."""
    return lambda accuracy: request.config.stash[_RUN].accuracies.append((variant, accuracy))


@pytest.fixture
def kernels(request: pytest.FixtureRequest, variant: Variant, rig: Rig) -> Callable[[Evidence], Outcome]:
    """Call with the variant's evidence: what came of its kernels, also against its baseline's."""
    from perfsuite.gates.gate import losses, new_violations

    run = request.config.stash[_RUN]

    def judged(evidence: Evidence) -> Outcome:
        run.observed.append((variant, evidence))
        found = rig.objections(variant, evidence)
        before = run.baselines.evidence(variant, rig.machine, rig.stack, stack_slug=run.baseline_stack)
        if before is None:
            return judge_variant(variant, kernels=found)
        run.evidence_changes[variant] = evidence_changes(before, evidence)
        lost = losses(before, evidence, rig.expectation(variant))
        return judge_variant(variant, kernels=found, lost=new_violations(found, lost))

    return judged


@pytest.fixture
def outcome(request: pytest.FixtureRequest, variant: Variant, benchmark: BenchmarkFixture) -> Outcome:
    """What came of the variant that was timed; its latencies are reported to pytest-benchmark."""
    run = request.config.stash[_RUN]
    found = run.outcomes[variant]
    measured = run.results.get(variant)
    if isinstance(measured, Measurement):
        marker = request.node.get_closest_marker("benchmark")
        replay(benchmark, marker.kwargs["timer"], measured)
        if own_colour(found, run.policy) is not Colour.RED:  # what is red is no baseline for tomorrow
            run.benchmarks.append(benchmark.stats)
    return found


@pytest.fixture
def settle(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> Callable[[Outcome], None]:
    """Call with an outcome: the test fails if it is red, and is skipped if nobody could tell or it is ignored."""
    run = request.config.stash[_RUN]

    def settled(outcome: Outcome) -> None:
        outcome = dataclasses.replace(outcome, ignored=run.settings.limits(outcome.variant).ignore)
        # As record_property does, which warns of xunit2's schema, the default: that knows no properties of a test.
        request.node.user_properties.extend(outcome_properties(outcome).items())
        lines = outcome_lines(outcome)
        match colour(outcome, run.policy):
            case Colour.RED:
                slower = outcome.speed is not None and outcome.speed.verdict is Verdict.REGRESSED
                if slower and outcome.variant in run.explanations:
                    lines += explanation_lines(run.explanations[outcome.variant])
                if in_job():
                    run.annotations.append(_annotation(run, outcome.variant, lines))
                pytest.fail("\n".join(wrapped(lines)), pytrace=False)
            case Colour.YELLOW | Colour.GREY:
                pytest.skip("; ".join(line.strip() for line in lines))

    return settled


def _annotation(run: Run, variant: Variant, lines: Sequence[str]) -> Annotation:
    model = load_models(run.settings.models).get(variant.model)
    return Annotation(title=variant.id, text="\n".join(lines), place=place_of(model) if model else None)


def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    run = config.stash.get(_RUN, None)
    if run is None or not run.timing:
        return
    for momentary in ("hz_actual", "hz_actual_friendly"):  # else every comparison is of "different machines"
        machine_info["cpu"].pop(momentary, None)
    machine_info[KEY] = {"machine_class": run.machine.slug if run.machine else None, "stack": slug_of(run.stack)}


def pytest_benchmark_update_json(config: pytest.Config, output_json: dict[str, Any]) -> None:
    """What the benchmarks of a run have in common stands once in the document: the session."""
    run = config.stash.get(_RUN, None)
    if run is not None and run.journal is not None:
        output_json.update(with_verdicts({KEY: head_fields(run.session)}, run.verdicts))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    run = session.config.stash.get(_RUN, None)
    if run is None or not run.timing:
        return
    if run.untimed and not run.results:
        # Whatever was asked for, nothing of it was timed: that is no success.
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    if (run.update or run.update_new) and run.journal is not None:
        _accept(session, run)
    told = session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
    if run.journal is not None and run.results:
        from perfsuite.ending import keep_session

        run.history_lines = keep_session(run)
    if run.report_html and told:
        _write_page(session, run)
    if run.journal is not None and run.results and told and not run.not_accepted and not run.unmeasured:
        run.journal.finish()


def _write_page(session: pytest.Session, run: Run) -> None:
    from perfsuite.ending import write_page

    try:
        run.page_lines = write_page(run)
    except PerfsuiteError as error:
        run.page_lines = [str(error)]
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _accept(session: pytest.Session, run: Run) -> None:
    hook = session.config.hook
    machine_info = hook.pytest_benchmark_generate_machine_info(config=session.config)
    hook.pytest_benchmark_update_machine_info(config=session.config, machine_info=machine_info)
    document = hook.pytest_benchmark_generate_json(
        config=session.config,
        benchmarks=run.benchmarks,
        include_data=False,
        machine_info=machine_info,
        commit_info=hook.pytest_benchmark_generate_commit_info(config=session.config),
    )
    hook.pytest_benchmark_update_json(config=session.config, benchmarks=run.benchmarks, output_json=document)
    given_up = frozenset(run.untimed) if run.policy.accept_lost else frozenset()
    restarted = [variant for variant, one in run.outcomes.items() if one.speed and one.speed.verdict in _MOVED]
    try:
        run.acceptance = run.baselines.accept(document, only_new=not run.update, remove=given_up, restarted=restarted)
    except (OSError, BaselineError) as error:
        run.not_accepted = f"could not write baselines, nothing is accepted: {error}; --resume measures nothing again"
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
