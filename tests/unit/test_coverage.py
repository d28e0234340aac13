"""Adding up the kernel table: shares of work and time, by type and instruction set."""

import pytest
from evidence_builders import evidence, kernel, operator_kernel
from hypothesis import given
from hypothesis import strategies as st

from perfsuite.evidence.coverage import Share, coverage
from perfsuite.records.evidence import Kernel, Source, Unread
from perfsuite.records.isa import Isa

_AMX = kernel(2, macs=500, isa=Isa.AMX)
_AVX512 = kernel(4, macs=300, isa=Isa.AVX512_BF16)
_FP32 = kernel(1, macs=100, dtype="fp32", isa=Isa.UNKNOWN)
_REORDER = kernel(0.5, macs=0, operation="reorder", isa=Isa.AVX512)


def test_shares_are_added_up_by_type_and_instruction_set() -> None:
    found = coverage(evidence([_FP32, _AMX, _AVX512, _AMX], model_macs=1400))
    assert found.shares == (
        Share(dtype="bf16", isa=Isa.AMX, macs=1000, time_s=0.004),
        Share(dtype="bf16", isa=Isa.AVX512_BF16, macs=300, time_s=0.004),
        Share(dtype="fp32", isa=Isa.UNKNOWN, macs=100, time_s=0.001),
    )
    assert (found.total_macs, found.unattributed) == (1400, 0)


def test_work_by_type_the_most_first() -> None:
    found = coverage(evidence([_FP32, _AMX, _AVX512], model_macs=1000))
    assert list(found.by_dtype().items()) == [("bf16", 800), ("fp32", 100)]
    assert (found.of_dtype("bf16"), found.of_dtype("fp32"), found.of_dtype("int8")) == (0.8, 0.1, 0.0)
    assert found.unattributed == pytest.approx(0.1)
    mixed = [_FP32, kernel(1, macs=90), kernel(1, macs=90, isa=Isa.AMX)]
    assert list(coverage(evidence(mixed)).by_dtype()) == ["bf16", "fp32"]
    assert list(coverage(evidence([_FP32, kernel(1, macs=90)])).by_dtype()) == ["fp32", "bf16"]


def test_instruction_sets_are_shares_of_their_type_alone() -> None:
    found = coverage(evidence([_AVX512, _FP32, _AMX], model_macs=10_000))
    assert list(found.by_isa("bf16").items()) == [(Isa.AMX, 0.625), (Isa.AVX512_BF16, 0.375)]
    assert found.by_isa("fp32") == {Isa.UNKNOWN: 1.0}
    assert found.by_isa("int8") == {}


def test_time_of_what_multiplies_nothing_is_apart() -> None:
    whole = evidence([_AMX, _REORDER, operator_kernel("aten::copy_", 1.5)], forward_s=0.005)
    found = coverage(whole)
    assert found.other_s == pytest.approx(0.002)
    assert [found.total_s, found.unattributed_time] == pytest.approx([0.005, 0.2])


def test_kernels_that_do_more_than_the_model_asks_for_are_the_whole() -> None:
    found = coverage(evidence([_AMX, _AVX512], model_macs=799, forward_s=0.005))
    assert (found.total_macs, found.unattributed) == (800, 0)
    assert [found.total_s, found.unattributed_time] == pytest.approx([0.006, 0])


def test_untold_work_is_unattributed() -> None:
    found = coverage(evidence([kernel(1, macs=None)], model_macs=100))
    assert (found.shares, found.unattributed) == ((), 1.0)


def test_reference_kernels_by_work_and_by_time() -> None:
    slow = kernel(3, macs=300, reference=True, isa=Isa.GENERIC)
    copies = kernel(2, macs=0, operation="softmax", reference=True)
    untold = kernel(1, macs=None, reference=True)
    found = coverage(evidence([_AMX, slow, copies, untold], model_macs=800))
    assert [found.reference_macs, found.reference_s] == pytest.approx([300, 0.006])
    assert coverage(evidence([_AMX])).reference_macs == 0


def test_an_empty_pass() -> None:
    found = coverage(evidence([], model_macs=0, forward_s=0.01))
    assert (found.shares, found.by_dtype(), found.of_dtype("fp32")) == ((), {}, 0)
    assert (found.unattributed, found.unattributed_time, found.of_work(0)) == (0.0, 1.0, 0.0)


@pytest.mark.parametrize(("count", "share"), [(0, 0.0), (4, 0.5), (12, 0.75)])
def test_lines_not_understood_are_a_share_of_them_and_of_the_kernels_read(count: int, share: float) -> None:
    kernels = [kernel(1, count=3), kernel(1, source=Source.MKL), operator_kernel("aten::add", count=50)]
    assert coverage(evidence(kernels, unread=Unread(count=count, samples=()))).unread == share
    assert coverage(evidence(unread=Unread(count=count, samples=()))).unread == (1.0 if count else 0.0)


_KERNELS = st.lists(
    st.builds(
        kernel,
        st.floats(0.001, 100),
        macs=st.none() | st.integers(0, 10**9),
        dtype=st.sampled_from(["bf16", "fp32", "int8", ""]),
        isa=st.sampled_from(Isa),
        reference=st.booleans(),
    ),
    max_size=6,
)


@given(_KERNELS, st.integers(0, 10**9), st.floats(0.001, 1))
def test_shares_are_shares(kernels: list[Kernel], model_macs: int, forward_s: float) -> None:
    found = coverage(evidence(kernels, model_macs=model_macs, forward_s=forward_s))
    parts = [found.of_dtype(dtype) for dtype in found.by_dtype()] + [found.unattributed]
    if any(one.macs for one in kernels) or model_macs:
        assert sum(parts) == pytest.approx(1)
    for dtype, macs in found.by_dtype().items():
        assert macs > 0
        assert sum(found.by_isa(dtype).values()) == pytest.approx(1)
    assert 0 <= found.unattributed_time <= 1
    assert 0 <= found.reference_macs <= found.total_macs
    assert 0 <= found.reference_s <= found.total_s * (1 + 1e-9)
