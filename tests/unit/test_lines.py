"""What a primitive's line says of its arithmetic: the type multiplied and the instruction set."""

import pytest

from perfsuite.evidence.lines import Primitive, Tensor
from perfsuite.records.isa import Isa, is_reference, isa_of


def work_dtype(inputs: str, attributes: str = "", implementation: str = "brg_matmul:avx10_1_512_amx") -> str | None:
    """Of a primitive with such inputs and outputs: ``src:f32 wei:f32``."""
    pairs = [word.split(":") for word in inputs.split()]
    return Primitive(
        engine="cpu",
        kind="matmul",
        implementation=implementation,
        prop_kind="undef",
        tensors=tuple(Tensor(role=role, dtype=dtype, layout="ab") for role, dtype in pairs),
        attributes=attributes,
        auxiliary="",
        problem="4x5:5x6",
        time_s=1e-3,
    ).work_dtype


@pytest.mark.parametrize(
    ("inputs", "dtype"),
    [
        ("src:bf16 wei:bf16 dst:f32", "bf16"),
        ("src:f32 wei:bf16 dst:f32", "bf16"),  # the weights decide
        ("src:u8 wei:s8 dst:f32", "int8"),
        ("src:u8 wei:s4 dst:f32", "int8"),
        ("src:bf16 wei:s8 dst:bf16", "bf16"),  # weights stored as integers
        ("src:f32 wei:u4 dst:f32", "f32"),
        ("src:f16", "f16"),
        ("data:bf16", "bf16"),
        ("src_layer:u8 src_iter:u8 wei_layer:s8 wei_iter:s8 bias:f32 dst_layer:u8", "int8"),
        ("query:f16 key:s8 val:s8 dst:f16", "f16"),
        ("src:f32 wei:undef dst:f32", "f32"),
        ("dst:f32", None),
        ("", None),
    ],
)
def test_work_dtype(inputs: str, dtype: str | None) -> None:
    assert work_dtype(inputs) == dtype


@pytest.mark.parametrize(
    ("attributes", "implementation", "dtype"),
    [
        ("attr-scratchpad:user attr-fpmath:bf16", "brg_matmul:avx10_1_512_amx", "bf16"),
        ("attr-fpmath_mode:bf16 ", "brg:avx512_core_amx_bf16", "bf16"),
        ("attr-fpmath:any", "brg_matmul:avx10_1_512_amx", "bf16"),
        ("attr-fpmath:tf32", "brg_matmul:avx10_2_512_amx_2", "tf32"),
        ("attr-fpmath:bf16", "brg_matmul:avx512_core_bf16", "f32"),  # allowed, but no kernel but AMX's takes it
        ("attr-fpmath:bf16", "jit:avx512_core", "f32"),
        ("", "brg_matmul:avx10_1_512_amx", "f32"),
    ],
)
def test_fpmath_counts_in_amx_kernels_alone(attributes: str, implementation: str, dtype: str) -> None:
    assert work_dtype("src:f32 wei:f32 dst:f32", attributes, implementation) == dtype


def test_fpmath_does_not_touch_other_types() -> None:
    assert work_dtype("src:u8 wei:s8 dst:f32", "attr-fpmath:bf16:true") == "int8"
    assert work_dtype("src:bf16 wei:bf16 dst:f32", "attr-fpmath:f16") == "bf16"
    assert work_dtype("src:f32 wei:s8 dst:f32", "attr-fpmath:bf16:true") == "bf16"


@pytest.mark.parametrize(
    ("implementation", "isa"),
    [
        ("jit:avx512_core_amx_bf16", Isa.AMX),
        ("brg:avx512_core_amx_int8", Isa.AMX),
        ("brg_conv_fwd:avx10_1_512_amx", Isa.AMX),
        ("brg_matmul:avx10_1_512_amx_fp16", Isa.AMX),
        ("brg_matmul:avx10_2_512_amx_2", Isa.AMX),
        ("brg_deconv:avx10_1_512_amx+brgconv_strided:avx10_1_512_amx", Isa.AMX),
        ("brg_matmul:avx10_2_512", Isa.AVX10_2),
        ("brg_matmul:avx10_1_512", Isa.AVX512_FP16),
        ("brg_matmul:avx512_core_fp16", Isa.AVX512_FP16),
        ("brdgmm_dw:avx512_core_bf16", Isa.AVX512_BF16),
        ("jit_int8_1x1:avx512_core_vnni", Isa.AVX512_VNNI),
        ("jit:avx512_core", Isa.AVX512),
        ("jit:avx512_common", Isa.AVX512),
        ("conv:any+jit:avx512_core", Isa.AVX512),
        ("brgconv:avx2_vnni_2", Isa.AVX_VNNI),
        ("jit:avx2", Isa.AVX2),
        ("jit:avx", Isa.AVX),
        ("jit:sse41", Isa.SSE41),
        ("ref:any", Isa.GENERIC),
        ("ref", Isa.GENERIC),
        ("gemm:ref", Isa.GENERIC),
        ("simple:any", Isa.GENERIC),
        ("ncsp_bnorm:any", Isa.GENERIC),
        ("jit:uni", Isa.UNKNOWN),
        ("jit:blk", Isa.UNKNOWN),
        ("x64:gemm:jit", Isa.UNKNOWN),
        ("x64:gemm_s8u8s32:jit", Isa.UNKNOWN),
        ("conv:any+x64:gemm:jit", Isa.UNKNOWN),
        ("ref+matmul", Isa.UNKNOWN),
        ("brgemm:undef", Isa.UNKNOWN),
        ("rnn_data_reorder", Isa.UNKNOWN),
        ("", Isa.UNKNOWN),
    ],
)
def test_isa(implementation: str, isa: Isa) -> None:
    assert isa_of(implementation) is isa


@pytest.mark.parametrize(
    "implementation",
    [
        "ref:any",
        "ref_int8:any",
        "gemm:ref",
        "gemm_s8u8s32:ref",
        "simple_nchw:any",
        "ref",
        "ref+matmul",
        "conv:any+ref:any",
    ],
)
def test_reference(implementation: str) -> None:
    assert is_reference(implementation)


@pytest.mark.parametrize(
    "implementation",
    [
        "simple:any",
        "jit:uni",
        "ref_fused_convolution:any",
        "conv:any+x64:gemm:jit",
        "gemm:jit",
        "brg_matmul:avx512_core",
        "brgemm:undef",
        "",
    ],
)
def test_no_reference(implementation: str) -> None:
    assert not is_reference(implementation)
