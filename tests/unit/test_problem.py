"""Multiply-accumulates from oneDNN's problem descriptions, against counts made otherwise."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfsuite.evidence.problem import macs

LSTM = "alg:vanilla_lstm direction:unidirectional_left2right activation:undef flags:"


@pytest.mark.parametrize(
    ("kind", "problem", "expected"),
    [
        ("convolution", "mb2_ic3oc16_ih32oh16kh3sh2dh0ph1_iw32ow16kw3sw2dw0pw1", 2 * 16 * 16 * 16 * 3 * 3 * 3),
        ("convolution", "mb1_ic4oc8_iw40ow32kw5sw1dw1pw0", 8 * 32 * 4 * 5),
        (
            "convolution",
            "mb1_ic4oc8_id6od4kd3sd1dd0pd0_ih7oh5kh3sh1dh0ph0_iw8ow6kw3sw1dw0pw0",
            8 * 4 * 5 * 6 * 4 * 3 * 3 * 3,
        ),
        ("convolution", "g4mb2_ic16oc32_ih8oh6kh3sh1dh0ph0_iw8ow6kw3sw1dw0pw0", 2 * 32 * 6 * 6 * (16 // 4) * 3 * 3),
        ("convolution", "g16mb2_ic16oc16_ih8oh8kh3sh1dh0ph1_iw8ow8kw3sw1dw0pw1", 2 * 16 * 8 * 8 * 3 * 3),  # depthwise
        ("convolution", "mb1_ic1oc1_iw4ow4kw2sw1dw0pw-1", 4 * 2),
        ("deconvolution", "mb1_ic8oc4_ih9oh18kh4sh2dh0ph1_iw9ow18kw4sw2dw0pw1", 8 * 9 * 9 * 4 * 4 * 4),
        ("deconvolution", "g4mb1_ic8oc8_ih9oh18kh4sh2dh0ph1_iw9ow18kw4sw2dw0pw1", 8 * 9 * 9 * (8 // 4) * 4 * 4),
        ("inner_product", "mb3ic16oc4", 3 * 16 * 4),
        ("inner_product", "mb2ic3ih4iw5oc7", 2 * 3 * 4 * 5 * 7),
        ("inner_product", "mb2ic3id6ih4iw5oc7", 2 * 3 * 6 * 4 * 5 * 7),
        ("matmul", "48x16:16x24", 48 * 16 * 24),
        ("matmul", "1x30:30x7:1x7", 30 * 7),  # 2.x names the destination
        ("matmul", "6x200x16:6x16x200:6x200x200", 6 * 200 * 16 * 200),
        ("matmul", "4x8x16:1x16x24", 4 * 8 * 16 * 24),
        ("matmul", "2x1x8x16:1x3x16x24", 2 * 3 * 8 * 16 * 24),
        ("matmul", "0x64:64x32", 0),
        ("gemm_api", "32x64:64x32", 32 * 64 * 32),
        ("sdpa", "1x2x384x128:1x2x128x256:1x2x256x64", 2 * 384 * 256 * (128 + 64)),
        ("sdpa", "1x8x16x32:1x2x32x48:1x2x48x32", 8 * 16 * 48 * (32 + 32)),  # four query heads for each key
        *((kind, "2x8x16x16", 0) for kind in ("reorder", "eltwise", "softmax", "binary", "layer_normalization")),
        ("pooling", "mb2ic8_ih16oh8kh2sh2dh0ph0_iw16ow8kw2sw2dw0pw0", 0),
        ("pooling_v2", "mb2ic8_ih16oh8kh2sh2dh0ph0_iw16ow8kw2sw2dw0pw0", 0),
    ],
)
def test_macs(kind: str, problem: str, expected: int) -> None:
    assert macs(kind, problem) == expected


@pytest.mark.parametrize(
    ("kind", "problem", "auxiliary", "expected"),
    [
        ("brgemm", "64x256:256x64", "bs:1 beta:0", 64 * 256 * 64),
        ("brgemm", "64x256:256x64", "bs:3 beta:1", 3 * 64 * 256 * 64),
        ("rnn", "l1t5mb2sic32slc16dhc32dic32", LSTM, 5 * 2 * 4 * 32 * (16 + 32)),
        ("rnn", "l2t5mb2sic32slc32dhc32dic32", LSTM.removesuffix(" flags:"), 2 * 5 * 2 * 4 * 32 * (32 + 32)),
        ("rnn", "l1t5mb2sic20slc16dhc32dic20", LSTM, 5 * 2 * (4 * 32 * (16 + 20) + 32 * 20)),  # with projection
        (
            "rnn",
            "l1t5mb2sic32slc16dhc32dic64",
            "alg:vanilla_gru direction:bidirectional_concat activation:undef flags:",
            2 * 5 * 2 * 3 * 32 * (16 + 32),
        ),
        (
            "rnn",
            "l1t5mb2sic8slc16dhc8dic8",
            "alg:vanilla_rnn direction:unidirectional_left2right activation:eltwise_tanh",
            5 * 2 * 8 * (16 + 8),
        ),
    ],
)
def test_macs_that_the_auxiliary_field_decides(kind: str, problem: str, auxiliary: str, expected: int) -> None:
    assert macs(kind, problem, auxiliary) == expected


@pytest.mark.parametrize(
    ("kind", "problem", "auxiliary"),
    [
        ("a_kind_of_tomorrow", "4x4:4x4", ""),
        ("matmul", "*x64:64x32", "runtime_dims_masks:1:0"),
        ("matmul", "4x5:6x7", ""),
        ("matmul", "2x4x5:3x5x7", ""),
        ("matmul", "4x5:5x7:4x8", ""),
        ("matmul", "4x5", ""),
        ("matmul", "4:4", ""),
        ("matmul", "4x5:2x5x7", ""),
        ("matmul", "mb4ic5oc7", ""),
        ("matmul", f"{'9' * 5000}x5:5x7", ""),
        ("convolution", "4x5:5x7", ""),
        ("convolution", "mb1_ic4_iw40ow32kw5sw1dw1pw0", ""),
        ("convolution", "mb1_ic4oc8", ""),
        ("convolution", "mb1_ic4oc8_iw40ow-3kw5sw1dw1pw0", ""),
        ("convolution", "g3mb1_ic4oc8_iw40ow32kw5sw1dw1pw0", ""),
        ("convolution", "g3mb1_ic3oc8_iw40ow32kw5sw1dw1pw0", ""),
        ("convolution", "g0mb1_ic4oc8_iw40ow32kw5sw1dw1pw0", ""),
        ("inner_product", "2x3x4x5x6x7oc8", ""),
        ("brgemm", "64x256:256x64", ""),
        ("brgemm", "64x256:255x64", "bs:1 beta:0"),
        ("rnn", "l1t5mb2sic32slc16dhc32dic32", ""),
        ("rnn", "l1t5mb2sic32slc16dhc32dic32", "alg:a_cell_of_tomorrow direction:unidirectional_left2right"),
        ("rnn", "l1t5mb2", LSTM),
        ("sdpa", "1x2x384x128:1x2x64x256:1x2x256x64", ""),
        ("sdpa", "1x2x384x128:1x2x128x256", ""),
    ],
)
def test_cannot_tell(kind: str, problem: str, auxiliary: str) -> None:
    assert macs(kind, problem, auxiliary) is None


sizes = st.integers(1, 5)


@given(groups=st.integers(1, 3), mb=sizes, ic=sizes, oc=sizes, width=st.integers(4, 9), kernel=st.integers(1, 4))
def test_a_convolution_counted_one_by_one(groups: int, mb: int, ic: int, oc: int, width: int, kernel: int) -> None:
    out = width - kernel + 1
    loops = itertools.product(range(groups), range(mb), range(oc), range(ic), range(out), range(kernel))
    convolution = f"g{groups}mb{mb}_ic{ic * groups}oc{oc * groups}_iw{width}ow{out}kw{kernel}sw1dw0pw0"
    assert macs("convolution", convolution) == sum(1 for _ in loops)
    # Transposed, with the same weights, it reads what was written.
    transposed = f"g{groups}mb{mb}_ic{oc * groups}oc{ic * groups}_iw{out}ow{width}kw{kernel}sw1dw0pw0"
    assert macs("deconvolution", transposed) == macs("convolution", convolution)


@given(st.lists(st.tuples(sizes, st.booleans(), st.booleans()), max_size=3), sizes, sizes, sizes)
def test_a_matmul_broadcasts_as_its_batches_do(
    batches: list[tuple[int, bool, bool]], rows: int, inner: int, columns: int
) -> None:
    left = "".join(f"{1 if one else size}x" for size, one, _ in batches)
    right = "".join(f"{1 if one else size}x" for size, _, one in batches)
    batch = math.prod(1 if left_one and right_one else size for size, left_one, right_one in batches)
    problem = f"{left}{rows}x{inner}:{right}{inner}x{columns}"
    assert macs("matmul", problem) == batch * rows * inner * columns


@given(st.sampled_from(["convolution", "matmul", "rnn", "brgemm", "sdpa", "inner_product"]), st.text(), st.text())
def test_no_text_raises(kind: str, problem: str, auxiliary: str) -> None:
    count = macs(kind, problem, auxiliary)
    assert count is None or count >= 0
