"""Every pytest hook of perfsuite."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from perfsuite.backends import BACKENDS
from perfsuite.errors import PerfsuiteError
from perfsuite.explain.causes import explain
from perfsuite.explain.changes import evidence_changes
from perfsuite.judge.stored import judge
from perfsuite.machine.cpu import read_cpu
from perfsuite.models import load_models
from perfsuite.options import CHECKED_WORKLOAD, TIMED_WORKLOAD, Run, add_options, read_run
from perfsuite.records.measurement import Failure, Measurement
from perfsuite.records.speed import Speed, Verdict
from perfsuite.replay import ReplayTimer, replay
from perfsuite.report import text
from perfsuite.report.evidence import change_lines, evidence_lines
from perfsuite.report.explain import explanation_lines
from perfsuite.spec import WORKLOADS, Mode, Precision, Variant, matrix

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from perfsuite.measure.rig import Rig
    from perfsuite.records.evidence import Evidence

_JOURNALS = ".perfsuite"
_RUN = pytest.StashKey[Run]()


def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser)


@pytest.hookimpl(tryfirst=True)  # pytest-benchmark's asks for the machine, which depends on our settings
def pytest_configure(config: pytest.Config) -> None:
    try:
        run = read_run(config)
        models = load_models(run.settings.models)
    except PerfsuiteError as error:
        raise pytest.UsageError(str(error)) from error
    config.stash[_RUN] = run
    workloads = [workload.name for workload in WORKLOADS]
    backends = [backend.name for backend in BACKENDS]
    for name in (*models, *backends, *Mode, *Precision, *workloads):
        config.addinivalue_line("markers", f"{name}: every variant of {name}")
    config.addinivalue_line("markers", "published: the variants of ipex's published example scripts")
    config.addinivalue_line("markers", "kernels: which kernels every variant runs, held against what is expected")


def pytest_unconfigure(config: pytest.Config) -> None:
    run = config.stash.get(_RUN, None)
    if run is not None and run.rig is not None:
        run.rig.__exit__(None, None, None)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize ``variant`` over the matrix; unsupported ones are skipped with their reason."""
    if "variant" not in metafunc.fixturenames:
        return
    run = metafunc.config.stash[_RUN]
    timed = "benchmark" in metafunc.fixturenames
    models = load_models(run.settings.models)
    workloads = run.workloads or (TIMED_WORKLOAD if timed else CHECKED_WORKLOAD,)
    packages, flags = run.stack.packages, read_cpu().flags
    params = []
    for variant in matrix(tuple(models), tuple(backend.name for backend in BACKENDS), workloads):
        marks = [getattr(pytest.mark, name) for name in variant.marks]
        backend = next(backend for backend in BACKENDS if backend.name == variant.backend)
        reads = models[variant.model].reads
        support = backend.support(reads, variant.mode, variant.precision, packages, flags)
        if not support.supported:
            marks.append(pytest.mark.skip(reason=f"unsupported: {support.reason}"))
        if timed:
            marks.append(pytest.mark.benchmark(timer=ReplayTimer(), group=f"{variant.model} {variant.workload}"))
        params.append(pytest.param(variant, id=variant.id, marks=marks))
    metafunc.parametrize("variant", params)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A timing run runs nothing but timings, any other run none."""
    timing = bool(config.getoption("benchmark_only"))
    wanted: list[pytest.Item] = []
    others: list[pytest.Item] = []
    for item in items:
        is_timing = "benchmark" in getattr(item, "fixturenames", ())
        (wanted if is_timing == timing else others).append(item)
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = wanted


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Measure all selected variants, pass by pass, before the first test reports."""
    run = session.config.stash[_RUN]
    if not run.timing or session.config.option.collectonly or session.testsfailed:
        return
    variants = [variant for item in session.items if (variant := _variant_to_measure(item))]
    if not variants:
        return
    from perfsuite.measure import campaign
    from perfsuite.measure.lock import machine_lock
    from perfsuite.report.progress import progress

    start_s = time.perf_counter()
    try:
        with machine_lock("pytest --benchmark-only"):
            rig = _rig(run)
            folder = session.config.rootpath / _JOURNALS
            how = campaign.Journal.resume if run.resume else campaign.Journal.create
            journal = how(folder, campaign.header(rig))
            done = [entry.variant for entry in journal.entries]
            try:
                replicates = len(campaign.steps(variants, run.settings.replicates, done))
                observed = len(set(variants) - journal.evidence.keys()) if run.observing else 0
                with progress(replicates + observed) as on_step:
                    run.results = campaign.run(rig, variants, journal, on_step, observing=run.observing)
            except KeyboardInterrupt:
                raise KeyboardInterrupt(
                    f"kept {len(journal.entries)} replicates in {journal.path.name}; --resume goes on from there"
                ) from None
    except PerfsuiteError as error:
        raise pytest.UsageError(str(error)) from error
    run.campaign_s = time.perf_counter() - start_s


def _variant_to_measure(item: pytest.Item) -> Variant | None:
    if not isinstance(item, pytest.Function) or item.get_closest_marker("skip"):
        return None
    variant = item.callspec.params.get("variant") if hasattr(item, "callspec") else None
    return variant if isinstance(variant, Variant) else None


def _rig(run: Run) -> Rig:
    if run.rig is None:
        from perfsuite.measure.rig import Rig

        run.rig = Rig(run.settings, ready=run.ready)
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
def gate(request: pytest.FixtureRequest, variant: Variant, rig: Rig) -> Callable[[Evidence], tuple[str, ...]]:
    """Call with the variant's evidence: what is wrong with its kernels, also against its baseline's."""
    from perfsuite.gates.expectations import expectation
    from perfsuite.gates.gate import losses, violations

    run = request.config.stash[_RUN]

    def judged(evidence: Evidence) -> tuple[str, ...]:
        run.observed.append((variant, evidence))
        expected = expectation(variant, rig.models[variant.model].reads)
        found = violations(
            evidence,
            expected,
            cpu=read_cpu(),
            environ=rig.worker_environment,
            require_amx=run.settings.require_isa == "amx",
        )
        before = run.baselines.evidence(variant, rig.machine, run.baseline_stack or rig.stack.slug)
        if before is None:
            return found
        run.evidence_changes[variant] = evidence_changes(before, evidence)
        return (*found, *losses(before, evidence, expected))

    return judged


@pytest.fixture
def measurement(request: pytest.FixtureRequest, variant: Variant) -> Measurement:
    """What was measured of the variant; an error with the reason if it could not be."""
    result = request.config.stash[_RUN].results[variant]
    if isinstance(result, Failure):
        pytest.fail(result.reason, pytrace=False)
    return result


@pytest.fixture
def comparison(
    request: pytest.FixtureRequest, variant: Variant, measurement: Measurement, benchmark: BenchmarkFixture
) -> Speed:
    """The variant's timing, reported to pytest-benchmark and held against its baseline.

    One that cannot be judged is skipped with its reason, or fails under --require-verdict.
    """
    run = request.config.stash[_RUN]
    marker = request.node.get_closest_marker("benchmark")
    replay(benchmark, marker.kwargs["timer"], measurement)
    run.benchmarks.append(benchmark.stats)
    baseline = run.baselines.find(measurement, stack_slug=run.baseline_stack)
    found = judge(measurement, baseline, regression_ratio=run.settings.regression_ratio)
    run.comparisons.append(found)
    if isinstance(baseline, Measurement):
        run.explanations[variant] = explain(baseline, measurement)
        if baseline.evidence and measurement.evidence:
            run.evidence_changes[variant] = evidence_changes(baseline.evidence, measurement.evidence)
    undecided = (Verdict.MISSING_BASELINE, Verdict.INCOMPARABLE, Verdict.INCONCLUSIVE)
    accepting = run.update or run.update_new
    if run.require_verdict and found.verdict in undecided:
        pytest.fail(f"--require-verdict: {text.comparison_line(found)}", pytrace=False)
    if found.verdict in (Verdict.INCOMPARABLE, Verdict.INCONCLUSIVE) and not accepting:
        pytest.skip(text.comparison_line(found))
    return found


@pytest.fixture
def explanation(request: pytest.FixtureRequest, variant: Variant) -> Callable[[], list[str]]:
    """Call after ``comparison``: why the latency is not its baseline's, in a few lines."""
    explanations = request.config.stash[_RUN].explanations
    return lambda: explanation_lines(explanations[variant]) if variant in explanations else []


@pytest.fixture
def accepts(request: pytest.FixtureRequest) -> bool:
    """Whether the user accepts what is measured, however slow."""
    return request.config.stash[_RUN].update


def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    run = config.stash.get(_RUN, None)
    if run is None or not run.timing:
        return
    import msgspec

    for momentary in ("hz_actual", "hz_actual_friendly"):  # else every comparison is of "different machines"
        machine_info["cpu"].pop(momentary, None)
    machine_info["perfsuite"] = {
        "machine_class": msgspec.to_builtins(run.machine),
        "stack": msgspec.to_builtins(run.stack),
    }


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    run = session.config.stash.get(_RUN, None)
    if run is None or not run.benchmarks or not (run.update or run.update_new):
        return
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
    try:
        run.accepted = run.baselines.accept(document, only_new=not run.update)
    except OSError as error:
        run.not_accepted = f"could not write baselines, nothing is accepted: {error}; --resume measures nothing again"
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(trylast=True)  # after the table of pytest-benchmark
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    run = config.stash.get(_RUN, None)
    if run is None:
        return
    if run.accuracies:
        terminalreporter.section("accuracy against FP32")
        for line in text.accuracy_lines(run.accuracies):
            terminalreporter.write_line(line)
    if run.observed:
        terminalreporter.section("kernels")
        for line in evidence_lines(run.observed):
            terminalreporter.write_line(line)
    if run.evidence_changes:
        terminalreporter.section("evidence against baselines")
        for line in change_lines(run.evidence_changes):
            terminalreporter.write_line(line)
    if not run.results:
        return
    terminalreporter.section("perfsuite")
    measured = [result for result in run.results.values() if isinstance(result, Measurement)]
    lines = text.verdict_lines(run.comparisons, str(run.settings.baselines.name)) if run.comparisons else []
    lines += [f"accepted {count} into {path.relative_to(run.baselines.folder)}" for path, count in run.accepted.items()]
    lines += [run.not_accepted] if run.not_accepted else []
    lines += text.unsteady_lines(measured)
    if run.rig is not None:
        lines.append(text.wall_time_line(measured, wall_s=run.campaign_s, import_s=run.rig.import_s))
    for line in lines:
        terminalreporter.write_line(line)
