"""What each backend can run of each stack: every reason and caveat, and nothing else."""

from itertools import product

import pytest

from perfsuite.backends import BACKENDS
from perfsuite.models.base import Reads
from perfsuite.report.text import support_note
from perfsuite.spec import Limit, Mode, Precision, Support

IPEX_2_8 = {"torch": "2.8.0", "torchao": "0.14.1", "intel-extension-for-pytorch": "2.8.0"}
IPEX_2_7 = {"torch": "2.7.0", "torchao": "0.10.0", "intel-extension-for-pytorch": "2.7.0+cpu"}
STOCK = {"torch": "2.14.1", "torchao": "0.18.0"}

AVX512 = frozenset({"avx2", "avx512f", "avx512bw", "avx512vl", "avx512dq"})

_CELLS = list(product(Reads, Mode, Precision))
_PLACES = list(product(Reads, Mode))
_STATIC, _DYNAMIC = Precision.INT8_STATIC, Precision.INT8_DYNAMIC


def _support(
    backend: str,
    reads: Reads,
    mode: Mode,
    precision: Precision,
    packages: dict[str, str],
    flags: frozenset[str] = AVX512,
) -> Support:
    (one,) = (candidate for candidate in BACKENDS if candidate.name == backend)
    return one.support(reads, mode, precision, packages, flags)


def _words(support: Support) -> str:
    """The kind of answer and the first words of why."""
    assert support.supported is (support.reason is None)
    if support.reason:
        return f"unsupported: {support.reason}"
    return support_note(support)


#: (backend, stack) -> the cells about which there is something to say, and how that begins.
_IPEX_NOTES = (
    {(reads, Mode.EAGER, _STATIC): "simulated: " for reads in Reads}
    | {(reads, Mode.DYNAMO, _STATIC): "simulated: " for reads in Reads}
    | {(Reads.IMAGES, mode, _DYNAMIC): "partial: " for mode in Mode}
)
_STOCK_NOTES = (
    {(reads, Mode.EAGER, precision): "simulated: " for reads in Reads for precision in (_STATIC, _DYNAMIC)}
    | {(Reads.IMAGES, mode, _DYNAMIC): "simulated: " for mode in (Mode.DYNAMO, Mode.DEPLOYED)}
    | {
        (reads, Mode.TORCHSCRIPT, precision): "unsupported: torchao's INT8 is lowered by Inductor"
        for reads in Reads
        for precision in (_STATIC, _DYNAMIC)
    }
)
_IPEX_2_7_NOTES = _IPEX_NOTES | {
    (reads, Mode.DYNAMO, _STATIC): "unsupported: static INT8 under dynamo raises" for reads in Reads
}


@pytest.mark.parametrize(
    ("backend", "packages", "notes"),
    [
        ("ipex", IPEX_2_8, _IPEX_NOTES),
        ("ipex", IPEX_2_7, _IPEX_2_7_NOTES),
        ("ipex", IPEX_2_7 | {"intel-extension-for-pytorch": "2.6.0"}, _IPEX_2_7_NOTES),
        ("stock", STOCK, _STOCK_NOTES),
        ("stock", IPEX_2_8, _STOCK_NOTES),
    ],
    ids=["ipex-2.8", "ipex-2.7", "ipex-2.6", "stock", "stock-beside-ipex"],
)
def test_every_cell(backend: str, packages: dict[str, str], notes: dict[tuple[Reads, Mode, Precision], str]) -> None:
    said = {cell: _words(_support(backend, *cell, packages)) for cell in _CELLS}
    assert {cell for cell, words in said.items() if words} == set(notes)
    assert [cell for cell, start in notes.items() if not said[cell].startswith(start)] == []


@pytest.mark.parametrize(
    ("backend", "packages", "reason"),
    [
        ("ipex", STOCK, "intel-extension-for-pytorch is not installed; install perfsuite[ipex]"),
        ("ipex", {}, "intel-extension-for-pytorch is not installed; install perfsuite[ipex]"),
        ("stock", {}, "torch is not installed; install perfsuite[ipex] or perfsuite[stock]"),
    ],
)
def test_without_its_library_nothing_is_supported(backend: str, packages: dict[str, str], reason: str) -> None:
    assert {_support(backend, *cell, packages) for cell in _CELLS} == {Support(reason=reason)}


def test_without_torchao_stock_runs_float_alone() -> None:
    for cell in _CELLS:
        support = _support("stock", *cell, {"torch": "2.14.1"})
        assert support.supported is not cell[2].is_int8
        assert support.supported or "install torchao" in str(support.reason)


def test_ipex_needs_no_torchao() -> None:
    packages = {"torch": "2.8.0", "intel-extension-for-pytorch": "2.8.0"}
    assert all(_support("ipex", *cell, packages).supported for cell in _CELLS)


@pytest.mark.parametrize("flags", [AVX512, frozenset({"avx2", "avx_vnni", "avx_ne_convert"})])
def test_bf16_is_itself_where_the_cpu_multiplies_it(flags: frozenset[str]) -> None:
    for backend, packages in (("ipex", IPEX_2_8), ("stock", STOCK)):
        assert {_words(_support(backend, reads, mode, Precision.BF16, packages, flags)) for reads, mode in _PLACES} == {
            ""
        }


def test_bf16_without_avx512_is_emulated_or_refused_by_ipex() -> None:
    flags = frozenset({"avx2", "fma", "avx512f"})
    for reads, mode in _PLACES:
        stock = _support("stock", reads, mode, Precision.BF16, STOCK, flags)
        ipex = _support("ipex", reads, mode, Precision.BF16, IPEX_2_8, flags)
        assert stock.supported
        assert stock.limit is Limit.EMULATED
        assert ipex.supported is (mode is Mode.DYNAMO)
        assert _words(ipex).startswith("emulated: " if ipex.supported else "unsupported: ipex packs BF16 weights only")


def test_other_precisions_ask_nothing_of_the_cpu() -> None:
    for cell in _CELLS:
        if cell[2] is not Precision.BF16:
            assert _support("ipex", *cell, IPEX_2_8, frozenset()) == _support("ipex", *cell, IPEX_2_8)
