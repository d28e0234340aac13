"""What small matrix products tell of oneDNN and AMX: read from its lines, tried in real processes without torch."""

import json
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from perfsuite.machine.stack import PROBE, run_probe
from perfsuite.machine.trial import read_trial
from perfsuite.records.machine import OneDnn, Product, StackAnswers, Trial

AVX512 = "Intel AVX-512 with AVX512BW, AVX512VL, and AVX512DQ extensions"
BF16 = "Intel AVX-512 with Intel DL Boost and bfloat16 support"
AMX = f"{BF16.replace('with', 'with float16,')} and Intel AMX with bfloat16 and 8-bit integer support"
AMX_FP16 = AMX.replace("bfloat16 and 8-bit", "bfloat16, float16 and 8-bit")
UNTOLD = {"cycles": None, "reason": "no"}


def header(version: str, isa: str) -> list[str]:
    return [
        f"onednn_verbose,v1,info,oneDNN v{version} (commit 0a1b2c3d)",
        "onednn_verbose,v1,info,cpu,runtime:OpenMP,nthr:3",
        f"onednn_verbose,v1,info,cpu,isa:{isa}",
        "onednn_verbose,v1,info,gpu,runtime:none",
    ]


def product(implementation: str, kind: str = "matmul") -> list[str]:
    problem = "mb64ic64oc64" if kind == "inner_product" else "64x64:64x64"
    return [
        "onednn_verbose,v1,primitive,exec,cpu,reorder,jit:uni,undef,src:bf16::blocked:ab::f0 "
        "dst:bf16::blocked:AB16b64a2b::f0,attr-scratchpad:user,,64x64,0.25",
        f"onednn_verbose,v1,primitive,exec,cpu,{kind},{implementation},undef,src:bf16::blocked:ab::f0 "
        f"wei:bf16::blocked:AB16b64a2b::f0 dst:bf16::blocked:ab::f0,attr-scratchpad:user,,{problem},0.5",
    ]


def said(library: str, dtype: str, lines: list[str], error: str = "") -> dict[str, Any]:
    return {"library": library, "dtype": dtype, "lines": lines, "error": error}


def tried(implementation: str, isa: str = AMX) -> Trial:
    """One BF16 product by torch."""
    lines = header("3.9.1", isa) + product(implementation)
    return read_trial({"products": [said("torch", "bf16", lines)], "amx_busy": UNTOLD})


def test_each_library_has_its_header_and_each_product_what_multiplied() -> None:
    trial = read_trial(
        {
            "products": [
                said("torch", "bf16", header("3.9.1", AMX) + product("brg_matmul:avx10_1_512_amx")),
                said("torch", "int8", [], "AttributeError: qlinear_prepack"),
                said("ipex", "bf16", header("3.8.0", BF16) + product("brgemm:avx512_core_bf16", "inner_product")),
            ],
            "amx_busy": {"cycles": 4096, "reason": ""},
        }
    )
    assert trial == Trial(
        copies=(
            OneDnn(library="torch", version="3.9.1", isa=AMX),
            OneDnn(library="ipex", version="3.8.0", isa=BF16),
        ),
        products=(
            Product(library="torch", dtype="bf16", implementations=("brg_matmul:avx10_1_512_amx",)),
            Product(library="torch", dtype="int8", error="AttributeError: qlinear_prepack"),
            Product(library="ipex", dtype="bf16", implementations=("brgemm:avx512_core_bf16",)),
        ),
        amx_busy_cycles=4096,
    )
    assert trial.of_dtype("int8") == ()
    assert [one.library for one in trial.of_dtype("bf16")] == ["torch", "ipex"]


# One line for each implementation that is published for a matrix product, of oneDNN 2.6 to 3.12.
@pytest.mark.parametrize(
    ("implementation", "isa", "used"),
    [
        ("jit:avx512_core_amx_bf16", AMX, True),
        ("brg:avx512_core_amx_int8", AMX, True),
        ("brg:avx512_core_amx", AMX, True),
        ("brg_matmul:avx10_1_512_amx", "Intel AVX10.1 and Intel AMX with bfloat16 and 8-bit integer support", True),
        ("brg_matmul:avx10_1_512_amx_fp16", AMX_FP16, True),
        ("brg_matmul:avx10_1_512", AMX, False),
        ("brg_matmul:avx512_core_bf16", BF16, False),
        ("brg:avx512_core", BF16, False),
        ("ref:any", AMX, False),
        ("gemm:jit:bf16", AMX, None),  # may be AMX inside
        ("gemm:jit:bf16", "", None),
        ("gemm:jit:bf16", AVX512, False),  # and cannot be, where the copy has none
    ],
)
def test_whether_a_kernel_used_amx(implementation: str, isa: str, used: bool | None) -> None:
    trial = tried(implementation, isa)
    assert [trial.used_amx(one) for one in trial.products] == [used]


def test_a_product_without_a_line_was_not_onednn_s() -> None:
    trial = read_trial({"products": [said("torch", "bf16", header("3.9.1", AMX))], "amx_busy": UNTOLD})
    assert [trial.used_amx(one) for one in trial.of_dtype("bf16")] == [False]


@pytest.mark.parametrize(
    ("isa", "amx", "fp16"),
    [
        ("Intel AVX2 with Intel DL Boost", False, False),
        (AVX512, False, False),
        (BF16, False, False),  # also what an old kernel leaves of a processor with AMX
        (AMX, True, False),
        (AMX_FP16, True, True),
        ("Intel AVX10.1 and Intel AMX with bfloat16 and 8-bit integer support", True, False),
        ("Intel AVX10.1 and Intel AMX with bfloat16, float16 and 8-bit integer support", True, True),
        ("", None, False),
    ],
)
def test_what_a_header_says_of_amx(isa: str, amx: bool | None, fp16: bool) -> None:
    copy = OneDnn(library="torch", version="3.9.1", isa=isa)
    assert (copy.amx, copy.amx_fp16) == (amx, fp16)


@pytest.mark.parametrize("answer", [{}, {"products": [{}], "amx_busy": UNTOLD}, {"products": [], "amx_busy": {}}, []])
def test_what_is_no_trial_does_not_pass_for_one(answer: Any) -> None:
    with pytest.raises((KeyError, TypeError)):
        read_trial(answer)


# A torch with no more than the trial needs. Its oneDNN prints as C does: past sys.stdout, to descriptor 1.
TORCH = """
import contextlib, os, signal, sys, types
bfloat16 = int8 = uint8 = int64 = float32 = None
def ones(*sizes, dtype=None):
    return None
zeros = ones
def speak(*lines):
    os.write(1, "".join(line + "\\n" for line in lines).encode())
@contextlib.contextmanager
def verbose(level):
    print("switched on", flush=True)
    yield
backends = types.SimpleNamespace(mkldnn=types.SimpleNamespace(verbose=verbose, VERBOSE_ON=1))
ops = types.SimpleNamespace()
def mm(a, b):
    {mm}
"""


def probed(folder: Path, mm: str, timeout_s: float = 300.0) -> StackAnswers:
    (folder / "torch.py").write_text(TORCH.replace("{mm}", mm))
    path = folder / "python"
    path.write_text(f'#!/bin/sh\nPYTHONPATH="{folder}" exec "{sys.executable}" -S "$@"\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    answers = run_probe(str(path), timeout_s)
    assert isinstance(answers, StackAnswers)
    return answers


def test_the_probe_captures_what_a_product_prints(tmp_path: Path) -> None:
    lines = header("3.9.1", AMX) + product("brg_matmul:avx10_1_512_amx")
    trial = probed(tmp_path, f"speak(*{lines!r})").trial
    assert trial is not None
    assert trial.copies == (OneDnn(library="torch", version="3.9.1", isa=AMX),)
    bf16, int8 = trial.products  # and none by ipex, which is not there
    assert bf16 == Product(library="torch", dtype="bf16", implementations=("brg_matmul:avx10_1_512_amx",))
    assert (int8.dtype, int8.error) == (
        "int8",
        "AttributeError: 'types.SimpleNamespace' object has no attribute 'onednn'",
    )
    assert (trial.amx_busy_cycles is None) is bool(trial.amx_busy_reason)
    assert trial.failure == ""


def test_no_product_at_all_is_told_with_each_error(tmp_path: Path) -> None:
    trial = probed(tmp_path, "raise RuntimeError('no kernel')").trial
    assert trial is not None
    assert trial.products[0].error == "RuntimeError: no kernel"
    assert (trial.amx_busy_cycles, trial.amx_busy_reason) == (None, "no product ran")


@pytest.mark.parametrize(
    ("mm", "failure"),
    [
        ("os.kill(os.getpid(), signal.SIGILL)", "was ended by signal SIGILL"),
        ("os._exit(7)", "ended with exit status 7"),
        ("import time; time.sleep(60)", "gave no answer within 2 s"),
    ],
)
def test_a_product_that_ends_the_process_costs_the_trial_alone(tmp_path: Path, mm: str, failure: str) -> None:
    answers = probed(tmp_path, mm, timeout_s=2.0 if "sleep" in mm else 300.0)
    assert answers.amx_permission.granted or answers.amx_permission.reason
    assert answers.trial == Trial(failure=failure)


def test_much_said_does_not_fill_the_pipe(tmp_path: Path) -> None:
    lines = header("3.9.1", AMX) + product("brg_matmul:avx10_1_512_amx") * 2000
    trial = probed(tmp_path, f"speak(*{lines!r})").trial
    assert trial is not None
    assert trial.products[0].implementations == ("brg_matmul:avx10_1_512_amx",)


def test_descriptor_1_is_given_back(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text(TORCH.replace("{mm}", "speak('captured')"))
    command = [sys.executable, "-S", "-P", str(PROBE), "--output-fd", "1"]
    environ = {"PYTHONPATH": str(tmp_path)}
    text = subprocess.run(command, env=environ, capture_output=True, text=True, check=True, timeout=300).stdout
    written = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    assert len(written) == 2
    assert written[1]["products"][0]["lines"] == ["switched on", "captured"]
