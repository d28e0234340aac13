"""What each backend can run of each stack: every reason and caveat, and nothing else."""

from itertools import product

import pytest

from perfsuite.backends import BACKENDS
from perfsuite.models.base import Reads
from perfsuite.report.text import support_note
from perfsuite.spec import Limit, Mode, Precision, Support

IPEX_2_8 = {"torch": "2.8.0", "torchao": "0.14.1", "intel-extension-for-pytorch": "2.8.0"}
IPEX_2_7 = {"torch": "2.7.0", "torchao": "0.10.0", "intel-extension-for-pytorch": "2.7.0+cpu"}
OPENVINO = {"torch": "2.8.0", "openvino": "2026.4.1", "nncf": "3.4.0"}
STOCK = {"torch": "2.14.1", "torchao": "0.18.0"}

AVX512 = frozenset({"avx2", "avx512f", "avx512bw", "avx512vl", "avx512dq", "avx512_fp16"})
#: A Sapphire Rapids' without its tiles.
AVX512_BF16 = AVX512 | {"avx512_vnni", "avx512_bf16"}

_CELLS = list(product(Reads, Mode, Precision))
_PLACES = list(product(Reads, Mode))
_STATIC, _DYNAMIC, _WEIGHTS = Precision.INT8_STATIC, Precision.INT8_DYNAMIC, Precision.INT8_WEIGHT_ONLY


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
    | {(reads, mode, _WEIGHTS): "unsupported: ipex.optimize cannot pack torchao's" for reads, mode in _PLACES}
)
_STOCK_NOTES = (
    {(reads, Mode.EAGER, precision): "simulated: " for reads in Reads for precision in (_STATIC, _DYNAMIC)}
    | {(Reads.IMAGES, mode, _DYNAMIC): "simulated: " for mode in (Mode.DYNAMO, Mode.DEPLOYED)}
    | {
        (reads, Mode.TORCHSCRIPT, precision): "unsupported: torchao's INT8 is lowered by Inductor"
        for reads in Reads
        for precision in (_STATIC, _DYNAMIC)
    }
    | {(Reads.IMAGES, mode, _WEIGHTS): "partial: " for mode in Mode}
    | {
        (reads, mode, _WEIGHTS): "simulated: "
        for reads, mode in _PLACES
        if reads is not Reads.IMAGES and mode is not Mode.DYNAMO
    }
)
_OPENVINO_NOTES = (
    {
        (reads, mode, precision): f"unsupported: {words}"
        for mode, words in ((Mode.EAGER, "OpenVINO compiles whole"), (Mode.TORCHSCRIPT, "OpenVINO runs a model of its"))
        for reads, precision in product(Reads, Precision)
    }
    | {
        (reads, Mode.DYNAMO, precision): "unsupported: NNCF quantises the model that is deployed"
        for reads, precision in product(Reads, (_STATIC, _DYNAMIC, _WEIGHTS))
    }
    | {(Reads.IMAGES, Mode.DEPLOYED, precision): "partial: " for precision in (_DYNAMIC, _WEIGHTS)}
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
        ("openvino", OPENVINO, _OPENVINO_NOTES),
        ("openvino", IPEX_2_8 | OPENVINO, _OPENVINO_NOTES),
    ],
    ids=["ipex-2.8", "ipex-2.7", "ipex-2.6", "stock", "stock-beside-ipex", "openvino", "openvino-beside-ipex"],
)
def test_every_cell(backend: str, packages: dict[str, str], notes: dict[tuple[Reads, Mode, Precision], str]) -> None:
    said = {cell: _words(_support(backend, *cell, packages, AVX512_BF16)) for cell in _CELLS}
    assert {cell for cell, words in said.items() if words} == set(notes)
    assert [cell for cell, start in notes.items() if not said[cell].startswith(start)] == []


@pytest.mark.parametrize(
    ("backend", "packages", "reason"),
    [
        ("ipex", STOCK, "intel-extension-for-pytorch is not installed; install perfsuite[ipex]"),
        ("ipex", {}, "intel-extension-for-pytorch is not installed; install perfsuite[ipex]"),
        (
            "openvino",
            IPEX_2_8,
            "openvino is not installed; `perfsuite stacks build openvino` builds a stack that has it",
        ),
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


def test_without_nncf_openvino_runs_float_alone() -> None:
    packages = {"torch": "2.8.0", "openvino": "2026.4.1"}
    for reads, precision in product(Reads, Precision):
        support = _support("openvino", reads, Mode.DEPLOYED, precision, packages, AVX512_BF16)
        assert support.supported is not precision.is_int8
        assert support.supported or "install nncf" in str(support.reason)


_NO_BF16 = dict.fromkeys((Precision.BF16, _WEIGHTS), "computes BF16 only where")


@pytest.mark.parametrize(
    ("flags", "unsupported"),
    [
        (AVX512_BF16, {}),
        (AVX512, {**_NO_BF16, _DYNAMIC: "only where the CPU has VNNI"}),
        (frozenset({"avx2", "avx_vnni"}), {**_NO_BF16, Precision.FP16: "computes FP16 only where"}),
        (AVX512_BF16 - {"avx512_bf16"} | {"amx_bf16"}, {}),
    ],
    ids=["avx512-bf16", "avx512", "avx-vnni", "amx"],
)
def test_openvino_says_what_it_would_silently_compute_in_another_type(
    flags: frozenset[str], unsupported: dict[Precision, str]
) -> None:
    for precision in Precision:
        reason = _support("openvino", Reads.TEXT, Mode.DEPLOYED, precision, OPENVINO, flags).reason
        assert unsupported.get(precision, "") in str(reason)
        assert (reason is None) is (precision not in unsupported)


def test_ipex_needs_no_torchao() -> None:
    packages = {"torch": "2.8.0", "intel-extension-for-pytorch": "2.8.0"}
    assert all(_support("ipex", *cell, packages).supported for cell in _CELLS if cell[2] is not _WEIGHTS)


_BF16, _FP16 = Precision.BF16, Precision.FP16
_CONVERTS = frozenset({"avx2", "avx_vnni", "avx_ne_convert"})
_CASCADE_LAKE = AVX512 - {"avx512_fp16"}
_NEITHER = frozenset({"avx2", "fma", "avx512f"})


@pytest.mark.parametrize(
    ("precision", "flags"),
    [(_BF16, AVX512), (_BF16, _CASCADE_LAKE), (_BF16, _CONVERTS), (_FP16, AVX512), (_FP16, _CONVERTS)],
)
def test_a_half_is_itself_where_the_cpu_multiplies_it(precision: Precision, flags: frozenset[str]) -> None:
    for backend, packages in (("ipex", IPEX_2_8), ("stock", STOCK)):
        assert {_words(_support(backend, *place, precision, packages, flags)) for place in _PLACES} == {""}


@pytest.mark.parametrize(
    ("precision", "flags", "refusal"),
    [
        (_BF16, _NEITHER, "unsupported: ipex packs BF16 weights only"),
        (_FP16, _NEITHER, "unsupported: ipex packs FP16 weights only"),
        (_FP16, _CASCADE_LAKE, "unsupported: ipex packs FP16 weights only"),
    ],
)
def test_a_half_that_nothing_multiplies_is_emulated_or_refused_by_ipex(
    precision: Precision, flags: frozenset[str], refusal: str
) -> None:
    for reads, mode in _PLACES:
        stock = _support("stock", reads, mode, precision, STOCK, flags)
        ipex = _support("ipex", reads, mode, precision, IPEX_2_8, flags)
        assert stock.limit is Limit.EMULATED
        assert ipex.supported is (mode is Mode.DYNAMO)
        assert _words(ipex).startswith("emulated: " if ipex.supported else refusal)


def test_other_precisions_ask_nothing_of_the_cpu() -> None:
    for cell in _CELLS:
        if cell[2] not in (_BF16, _FP16):
            assert _support("ipex", *cell, IPEX_2_8, frozenset()) == _support("ipex", *cell, IPEX_2_8)
