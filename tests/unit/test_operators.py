"""What the profiler's operators say: multiply-accumulates, types, and whether a library does their work."""

import pytest
from evidence_builders import operator
from hypothesis import example, given
from hypothesis import strategies as st

from perfsuite.evidence.operators import (
    hosts_library,
    is_attention,
    multiplies_silently,
    operator_dtype,
    operator_macs,
)

_QUERY = "[2, 4, 8, 16]"


@pytest.mark.parametrize(
    ("name", "shapes", "macs"),
    [
        ("aten::mm", "[[3, 5], [5, 7]]", 3 * 5 * 7),
        ("aten::_int_mm", "[[3, 5], [5, 7]]", 3 * 5 * 7),
        ("aten::_weight_int8pack_mm", "[[3, 5], [7, 5], [7]]", 3 * 5 * 7),
        ("aten::bmm", "[[2, 3, 5], [2, 5, 7]]", 2 * 3 * 5 * 7),
        ("aten::addmm", "[[7], [3, 5], [5, 7], [], []]", 3 * 5 * 7),
        ("aten::baddbmm", "[[2, 3, 7], [2, 3, 5], [2, 5, 7], [], []]", 2 * 3 * 5 * 7),
        ("aten::scaled_dot_product_attention", f"[{_QUERY}, {_QUERY}, {_QUERY}, []]", 2 * 4 * 8 * 8 * (16 + 16)),
        # Fewer keys than queries, and narrower values.
        (
            "aten::_scaled_dot_product_flash_attention_for_cpu",
            f"[{_QUERY}, [2, 4, 6, 16], [2, 4, 6, 10], [], [], [2, 1, 8, 6], []]",
            2 * 4 * 8 * 6 * (16 + 10),
        ),
        # Its children multiply, and are counted themselves.
        ("aten::matmul", "[[3, 5], [5, 7]]", 0),
        ("aten::add", "[[3, 5], [3, 5]]", 0),
        ("aten::mm", "", 0),
        ("aten::mm", "[]", 0),
        ("aten::mm", "[[3, 5]]", 0),
        ("aten::mm", "[[3, 5], []]", 0),
        ("aten::mm", "3", 0),
        ("aten::mm", "null", 0),
        ("aten::mm", '["ab", "cd"]', 0),
        ("aten::mm", "[[3, 5], [5, 7]", 0),
        ("aten::mm", "[(3, 5), (5, 7)]", 0),
        ("aten::scaled_dot_product_attention", "[[2, 4], [4]]", 0),
    ],
)
def test_multiply_accumulates(name: str, shapes: str, macs: int) -> None:
    assert operator_macs(operator(name, shapes=shapes)) == macs
    assert operator_macs(operator(name, shapes=shapes, count=3)) == 3 * macs


_NUMBERS = st.recursive(st.none() | st.integers(-2, 9) | st.text(max_size=2), lambda inner: st.lists(inner, max_size=4))


@given(
    st.sampled_from(["aten::mm", "aten::addmm", "aten::scaled_dot_product_attention"]), st.text() | _NUMBERS.map(str)
)
@example("aten::addmm", "[[],[],[[]]]")
def test_no_shapes_raise(name: str, shapes: str) -> None:
    assert isinstance(operator_macs(operator(name, shapes=shapes)), int)


@pytest.mark.parametrize(
    ("name", "dtypes", "dtype"),
    [
        ("aten::mm", "float float", "fp32"),
        ("aten::mm", "double double", "fp64"),
        ("aten::addmm", "c10::BFloat16 c10::BFloat16 c10::BFloat16 Scalar Scalar", "bf16"),
        ("aten::mm", "c10::Half float", "fp16"),
        ("aten::_int_mm", "signed char signed char", "int8"),
        ("aten::_weight_int8pack_mm", "c10::BFloat16 signed char c10::BFloat16", "int8"),
        ("onednn::qlinear_pointwise", "unsigned char Scalar", "int8"),
        ("aten::dequantize", "c10::quint8", "int8"),
        ("aten::dequantize", "c10::qint8", "int8"),
        # Its input is float, which it quantises before it multiplies.
        ("quantized::linear_dynamic", "float", "int8"),
        ("aten::embedding", "long int", ""),
        ("dil_add_layernorm", "", ""),
    ],
)
def test_type(name: str, dtypes: str, dtype: str) -> None:
    assert operator_dtype(operator(name, dtypes=dtypes)) == dtype


@pytest.mark.parametrize(
    ("name", "operation"),
    [
        ("aten::mkldnn_convolution", "convolution"),
        ("torch_ipex::convolution_forward", "convolution"),
        ("ipex_prepack::convolution_relu_run", "convolution"),
        ("torch_ipex::conv_transpose", "deconvolution"),
        ("aten::addmm", "matmul"),
        ("aten::mm", "gemm_api"),
        ("ipex_prepack::linear_gelu_run", "inner_product"),
        ("ipex_prepack::mkl_sgemm_run", "SGEMM_COMPUTE"),
        ("mkl::_mkl_linear", "SGEMM_COMPUTE"),
        ("aten::bmm", "SGEMM_BATCH"),
        ("aten::_scaled_dot_product_flash_attention_for_cpu", "SGEMM"),
        ("aten::_scaled_dot_product_flash_attention_for_cpu", "brgemm"),
        ("torch_ipex::layer_norm", "layer_normalization"),
        ("dil_add_layernorm", "layer_normalization"),
        ("torch_ipex::batch_norm", "batch_normalization"),
        ("aten::max_pool2d_with_indices", "pooling"),
        ("aten::_softmax", "softmax"),
        ("aten::gelu", "eltwise"),
        ("aten::relu_", "eltwise"),
        ("aten::add_", "sum"),
        ("aten::add", "binary"),
    ],
)
def test_the_operator_contains_the_library_s_time_where_that_ran(name: str, operation: str) -> None:
    assert hosts_library(name, {operation, "reorder"})
    assert not hosts_library(name, {"reorder"})


@pytest.mark.parametrize(
    "name",
    [
        "aten::copy_",
        "aten::addcmul",
        "aten::transpose",
        "CompiledFxGraph",
        "aten::clamp_min_",
        "quantized::linear_dynamic",
    ],
)
def test_other_operators_contain_none(name: str) -> None:
    assert not hosts_library(name, {"convolution", "matmul", "SGEMM", "pooling", "softmax", "eltwise", "binary"})


def test_a_fused_group_always_contains_some() -> None:
    assert hosts_library("dequantize+linear+quantize", set())
    assert not hosts_library("graph 1 + 2", set())


@pytest.mark.parametrize(
    ("name", "attention", "silent"),
    [
        ("aten::_scaled_dot_product_flash_attention_for_cpu", True, False),
        ("aten::scaled_dot_product_attention", True, False),
        ("quantized::linear_dynamic", False, True),
        ("quantized::linear_relu_dynamic", False, True),
        ("aten::linear", False, False),
    ],
)
def test_special_kinds(name: str, attention: bool, silent: bool) -> None:
    assert (is_attention(operator(name)), multiplies_silently(operator(name))) == (attention, silent)
