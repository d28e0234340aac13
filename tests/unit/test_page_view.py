"""What a page shows of records: signs and colours, iterations that are drawn, kernels that moved, costs."""

from __future__ import annotations

import dataclasses
import math
import re
from collections import Counter
from typing import Any

import pytest
from builders import OLD_STACK, STACK, VARIANT, replicate, session
from compare_builders import examination, pair, report, row, side, speed, stack_side
from evidence_builders import evidence, kernel
from page_builders import AFTER, BEFORE, FAILED, NEW, SLOWER, measured, night, pairs, worker

from perfsuite.explain.causes import explain
from perfsuite.judge.outcome import judge_support, judge_variant
from perfsuite.records.comparison import Gap, OneSided
from perfsuite.records.confirmation import Confirmation, Finding
from perfsuite.records.measurement import Block, Load
from perfsuite.records.outcome import Colour, Policy
from perfsuite.records.pair import turns
from perfsuite.records.session import Commit, MachineState
from perfsuite.records.speed import Reason, Verdict
from perfsuite.records.violation import Kind, Violation
from perfsuite.report.page.chapter import Names, Side
from perfsuite.report.page.comparison import comparison_contents
from perfsuite.report.page.costs import cost_table
from perfsuite.report.page.environment import session_settings
from perfsuite.report.page.heat import anchor_of, heats, in_page
from perfsuite.report.page.iterations import iteration_figure
from perfsuite.report.page.ratios import pair_ratios, ratio_figure, stored_ratios
from perfsuite.report.page.sections import page
from perfsuite.report.page.sessions import session_contents
from perfsuite.report.page.signs import legend, level_of, sign_of
from perfsuite.report.page.track import dots, of_pairs, of_workers
from perfsuite.spec import Mode, Support

NAMES = Names(before="baseline", after="this run")


@pytest.mark.parametrize(
    ("ratio", "level"),
    [
        (1.0, "same"),
        (1.019, "same"),
        (1.02, "slower-1"),
        (1.1, "slower-2"),
        (5.0, "slower-3"),
        (0.99, "same"),
        (1 / 1.02, "faster-1"),
        (0.9, "faster-2"),
        (0.5, "faster-3"),
        (None, "none"),
    ],
)
def test_level_follows_ratio(ratio: float | None, level: str) -> None:
    assert level_of(judge_variant(VARIANT, speed=speed(ratio=ratio))) == level


@pytest.mark.parametrize(("finding", "level"), [(Finding.DRIFT, "none"), (Finding.NOT_REPRODUCED, "slower-3")])
def test_what_the_machine_alone_made_has_no_colour(finding: Finding, level: str) -> None:
    outcome = judge_variant(VARIANT, speed=speed(ratio=1.774))
    assert outcome.speed is not None
    confirmation = Confirmation(finding=finding, stored=outcome.speed)
    assert level_of(dataclasses.replace(outcome, confirmation=confirmation)) == level


def test_legend_tells_of_every_level() -> None:
    ratios = (0.5, 0.9, 1 / 1.02, 1.0, 1.02, 1.1, 1.5)
    told = legend()
    assert [level for level, _ in told] == [level_of(judge_variant(VARIANT, speed=speed(ratio=one))) for one in ratios]
    assert dict(told)["slower-2"] == "slower by 10% and more"
    assert dict(told)["faster-3"] == "faster by 33% and more"


def test_each_verdict_has_a_sign_of_its_own() -> None:
    signs = [sign_of(dataclasses.replace(judge_variant(VARIANT), verdict=verdict)) for verdict in Verdict]
    assert len({sign.mark for sign in signs}) == len(Verdict)
    assert [sign.word for sign in signs] == [str(verdict) for verdict in Verdict]
    ignored = sign_of(judge_variant(VARIANT, ignored="issue 12"))
    assert (ignored.mark, ignored.word) == ("(=)", "unchanged, ignored")


def test_matrix_has_every_variant_in_its_place() -> None:
    (heat,) = heats(session_contents(night()).chapters, in_page)
    assert heat.name == "resnet50, ipex, latency"
    assert heat.columns == ("fp32", "bf16")
    assert [row.name for row in heat.rows] == ["eager", "dynamo", "torchscript", "deployed"]
    cells = [cell for row in heat.rows for cell in row.cells if cell]
    assert "".join(cell.sign.mark for cell in cells) == "↑↓=!!○=-"
    assert [cell.text for cell in cells] == ["1.81", "0.60", "1.01", "1.00", "", "", "1.19", ""]
    assert cells[0].colour is Colour.RED


def test_anchors_are_names_or_tell_them_apart() -> None:
    names = [VARIANT.id, "a b", "a  b", "a/b", "", "x" * 100, "x" * 99, "<script>", "größe", "-", "\ud800", "\ud801"]
    anchors = [anchor_of(name) for name in names]
    assert anchors[0] == VARIANT.id
    assert len(set(anchors)) == len(names)
    assert all(anchor.isascii() and " " not in anchor and len(anchor) < 80 for anchor in anchors)


def test_worst_comes_first_and_counts_are_of_all() -> None:
    found = page(session_contents(night()))
    assert [str(one.sign.word) for one in found.sections][:4] == ["error", "error", "regressed", "missing-baseline"]
    assert [one.colour for one in found.sections][:3] == [Colour.RED] * 3
    assert sum(count for _, count in found.signs) == len(found.sections) == 8
    assert found.signs[0][0].word == "error"


def test_turns_of_two_are_balanced() -> None:
    assert list(turns(3, 2)) == [0, 1, 1, 0, 1, 0, 0, 1, 0, 1, 1, 0]
    assert list(turns(2, 1)) == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("candidate_first", "order"), [(False, "b0 c0 c1 b1 c2 b2 b3 c3"), (True, "c0 b0 b1 c1 b2 c2 c3 b3")]
)
def test_blocks_of_a_pair_come_in_the_order_in_which_they_ran(candidate_first: bool, order: str) -> None:
    one = dataclasses.replace(
        pair(2.0), baseline=side(10, 11, 12, 13), candidate=side(20, 21, 22, 23), candidate_first=candidate_first
    )
    told = [f"{'c' if own is one.candidate else 'b'}{block.latencies_ns[0] % 10}" for own, block in one.blocks]
    assert " ".join(told) == order
    assert [stretch.cpus for stretch in of_pairs([one], (2, 4))] == [
        4 if name[0] == "c" else 2 for name in order.split()
    ]


def test_blocks_of_a_single_pass_are_all_there() -> None:
    one = dataclasses.replace(pair(2.0), baseline=side(10), candidate=side(20))
    assert len(list(one.blocks)) == 2


@pytest.mark.parametrize("count", [1, 2, 7, 600, 601, 5000, 100_000])
def test_drawn_iterations_keep_extremes_and_places(count: int) -> None:
    """A lone spike is drawn wherever it is, and as many as a drawing has room for."""
    for spike in {0, count // 3, count - 1}:
        values = [1000] * count
        values[spike] = 9_000_000
        track = of_workers([], [dataclasses.replace(replicate(), blocks=(Block(latencies_ns=tuple(values)),))], 2)
        ((_, drawn),) = dots(track)
        assert [dot.place for dot in drawn] == sorted({dot.place for dot in drawn})
        assert all(values[dot.place] == dot.latency_ns for dot in drawn)
        assert spike in {dot.place for dot in drawn}
        assert len(drawn) == count if count <= 600 else 600 <= len(drawn) <= 602


@pytest.mark.parametrize(("iterations", "said"), [(3, "All 60 iterations"), (100, " of 2000 iterations are drawn: ")])
def test_what_is_not_drawn_is_said(iterations: int, said: str) -> None:
    track = of_workers([worker(20.0, iterations=iterations)], [worker(30.0, iterations=iterations)], 2)
    figure = iteration_figure(track, NAMES, group="worker")
    assert said in figure.words
    assert "Lines stand between workers: 1 of baseline, then 1 of this run." in figure.words
    assert "Baseline takes 20 ms to 22 ms. This run takes 30 ms to" in figure.words


def test_figures_take_the_page_s_colours_and_no_styles() -> None:
    figure = iteration_figure(of_pairs(pairs(VARIANT, 1.5), (2, 2)), NAMES, group="pair")
    for colour in ("var(--baseline)", "var(--candidate)", "currentColor"):
        assert colour in figure.svg
    for banned in ("style=", "<style", "href", "<script", "#000"):
        assert banned not in figure.svg
    assert "Lines stand between the 4 pairs." in figure.words
    assert "GHz" in figure.svg  # it varies
    steady = [dataclasses.replace(one, blocks=(one.blocks[0],)) for one in (worker(1.0), worker(2.0))]
    still = iteration_figure(of_workers(steady[:1], steady[1:], 2), NAMES, group="worker")
    assert "GHz" not in still.svg
    assert "The CPUs ran at 2.40 GHz throughout." in still.words


def test_labels_keep_all_their_digits() -> None:
    """Places are rounded, the figures at the axes are not."""
    clocks = [worker(1.0, mhz=2400.0), worker(1.0, mhz=2430.0)]
    figure = iteration_figure(of_workers(clocks[:1], clocks[1:], 2), NAMES, group="worker")
    assert re.search(r"<text[^>]*>2\.4[0-9]</text>", figure.svg)
    assert not re.search(r"<[^>]*\.\d\d", figure.svg)


def test_blocks_without_the_machine_s_state_are_named() -> None:
    bare = replicate(10, 11)
    without = iteration_figure(of_workers([bare], [bare], 2), NAMES, group="worker")
    assert "was not recorded" in without.words
    half = iteration_figure(of_workers([bare], [worker(1.0)], 2), NAMES, group="worker")
    assert "Of 1 of 11 blocks it was not recorded." in half.words


@pytest.mark.parametrize(
    ("state", "cpus"),
    [({"frequency_mhz": math.inf}, 2), ({"others_cpu_s": math.inf}, 2), ({"frequency_mhz": None}, 2), ({}, 0)],
)
def test_a_state_that_nobody_can_draw_breaks_nothing(state: dict[str, Any], cpus: int) -> None:
    whole = worker(1.0)
    states = [dataclasses.replace(one.conditions, **state) for one in whole.blocks[:2] if one.conditions]
    odd = [dataclasses.replace(one, conditions=told) for one, told in zip(whole.blocks, states, strict=False)]
    track = of_workers([whole], [dataclasses.replace(whole, blocks=tuple(odd))], cpus)
    figure = iteration_figure(track, NAMES, group="worker")
    assert figure.svg.startswith("<svg")
    assert not re.search("inf|nan", f"{figure.svg} {figure.words}", re.IGNORECASE)


def test_instances_stand_one_after_another_and_are_told_so() -> None:
    load = Load(window_ns=100, passes=(2.0, 2.0), items=1)
    two = dataclasses.replace(replicate(), blocks=(Block(latencies_ns=(9, 10, 11, 12), load=load),))
    figure = iteration_figure(of_workers([two], [two], 2), NAMES, group="worker")
    assert "Of several instances, which run at once," in figure.words


def test_ratios_name_each_pair_and_the_interval() -> None:
    found = night().outcomes[SLOWER].speed
    assert found is not None
    figure = ratio_figure(pair_ratios(pairs(SLOWER, 1.8)), found, title="Ratio")
    assert figure.words.startswith("pair 1 1.800; pair 2 1.807; pair 3 1.814; pair 4 1.800. All together 1.805")
    assert "with an interval of 1.794 to 1.817 at 95%" in figure.words


def test_sessions_of_one_day_are_told_apart() -> None:
    (chapter,) = [one for one in session_contents(night()).chapters if one.name == SLOWER.id]
    assert chapter.stored
    assert chapter.now
    ratios = stored_ratios(chapter.stored, chapter.now)
    assert Counter(one.candidate for one in ratios) == {False: 3, True: 2}
    figure = ratio_figure(ratios, speed(), title="Ratio")
    assert "2026-11-01 #2 1.000; 2026-11-01 #3" in figure.words
    assert "now 2" in figure.svg


def test_costs_beyond_their_limit_are_noted() -> None:
    outcome = judge_variant(VARIANT, costs=(Violation(kind=Kind.PEAK_MEMORY, expected=1, found=2),))
    before = Side(replicates=(replicate(10_000_000),))
    after = Side(replicates=(dataclasses.replace(replicate(11_000_000), peak_rss_bytes=1 << 29),))
    table = cost_table(before, after, outcome, NAMES)
    assert table is not None
    rows = {row.head: row for row in table.rows}
    assert rows["latency"].cells == ("10 ms", "11 ms", "+10.0%")
    assert rows["peak memory"].cells == ("268.4 MB", "536.9 MB", "+100.0%")
    assert [row.head for row in table.rows if row.note] == ["peak memory"]
    assert "SQNR against FP32" not in rows
    assert cost_table(None, None, outcome, NAMES) is None


def test_what_two_sessions_differ_in_is_named() -> None:
    packages = {**STACK.packages, "torch": "2.9.0", "numpy": "2.4"}
    before = session(environment={"OMP_NUM_THREADS": "4"})
    after = session(
        stack=dataclasses.replace(STACK, packages=packages),
        environment={"OMP_NUM_THREADS": "4", "LD_PRELOAD": "x.so"},
        state=MachineState(node="alder", kernel="6.2.0", load_1min=0.1),
        commit=Commit(id="bbb", dirty=True),
    )
    assert [(one.name, one.before, one.after) for one in session_settings(before, after)] == [
        ("numpy", None, "2.4"),
        ("torch", "2.8.0", "2.9.0"),
        ("LD_PRELOAD", None, "x.so"),
        ("kernel", "6.1.0", "6.2.0"),
        ("commit of the project", "aaa", "bbb, and files that differ from it"),
    ]
    other_files = dataclasses.replace(before, contents={"torch": "fedcba9876543210"})
    assert [one.name for one in session_settings(before, other_files)] == ["files of torch"]
    assert session_settings(before, before) == ()


def test_long_lines_are_cut_at_a_space() -> None:
    contents = dataclasses.replace(session_contents(night()), lines=(" ".join(["word"] * 200), "x" * 5000, "  short"))
    lines = page(contents).lines
    assert lines[0].text.endswith("word")
    assert f"{lines[0].text} {lines[0].rest}" == contents.lines[0]
    assert (lines[1].text, lines[1].rest) == ("x" * 5000, "")
    assert (lines[2].depth, lines[2].text) == (1, "short")


def test_what_was_not_measured_says_why() -> None:
    sections = {one.name: one for one in page(session_contents(night())).sections}
    assert [line.text for line in sections[FAILED.id].lines] == ["failed: killed by SIGSEGV", "in some library"]
    assert sections[FAILED.id].figures == ()
    assert len(sections[NEW.id].figures) == 1  # without a baseline there is no ratio
    assert len(sections[SLOWER.id].figures) == 5


def test_a_comparison_has_a_chapter_for_each_row_gap_and_wrong_mode() -> None:
    slower = row(
        judge_variant(VARIANT, speed=speed(Verdict.REGRESSED, 1.8, Reason.BEYOND)),
        pairs=pairs(VARIANT, 1.8),
        examination=examination(evidence([kernel()])),
        explanation=explain(measured(VARIANT, 20.0, BEFORE), measured(VARIANT, 36.0, AFTER, environment={"X": "1"})),
    )
    lacking = dataclasses.replace(VARIANT, mode=Mode.DYNAMO)
    gap = OneSided(
        name=lacking.id,
        outcome=judge_support(lacking, Support(reason="no dynamo"), in_baseline=True),
        baseline=None,
        candidate=Gap(unsupported=("no dynamo",)),
    )
    wrong = judge_variant(dataclasses.replace(VARIANT, mode=Mode.EAGER), failure="it crashed")
    sides = {"baseline": stack_side("ipex-2.7", stack=OLD_STACK), "candidate": stack_side("ipex-2.8")}
    contents = comparison_contents(report(slower, one_sided=(gap,), wrong_modes=(wrong,), **sides), Policy())
    found = page(contents)
    assert {one.name: str(one.colour) for one in found.sections} == {
        VARIANT.id: "red",
        lacking.id: "red",
        wrong.variant.id: "red",
    }
    sections = {one.name: one for one in found.sections}
    assert [figure.title for figure in sections[VARIANT.id].figures] == [
        "Iterations side by side, in the order in which they ran",
        "Ratio of each pair of processes",
    ]
    assert "A, ipex-2.7 takes 20 ms to 22 ms." in sections[VARIANT.id].figures[0].words
    assert sections[lacking.id].lines[0].text == "not in B: no dynamo"
    assert sections[wrong.variant.id].headline == "error, beside another mode"
    assert contents.title == "ipex-2.7 against ipex-2.8"
    names = [one.name for one in contents.settings]
    assert names == ["intel-extension-for-pytorch", "torch", "OMP_NUM_THREADS", "X"]
