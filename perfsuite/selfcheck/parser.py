"""How fast is oneDNN's verbose output read?"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

from perfsuite.evidence.onednn import parse

LINES = 200_000
#: A night's evidence, some million lines, must cost seconds.
MINIMUM_LINES_PER_S = 100_000
#: Distinct primitives of the realistic log: a ResNet50 or BERT executes 50 to 150 and repeats them.
DISTINCT = 120
#: CPU time, so that what else runs does not count; its caches do, so the fastest reading is taken.
READINGS = 3

_OLD = "src_bf16::blocked:acdb:f0 wei_bf16:p:blocked:ABcd16b16a2b:f0 bia_f32::blocked:a:f0 dst_bf16::blocked:acdb:f0"
_MIDDLE = (
    "src_s8::blocked:ab::f0 wei_s8:ap:blocked:BA16a64b4a::f8:zpm2 bia_f32::blocked:ab::f0_mask2 dst_f32::blocked:ab::f0"
)
_NEW = "src:f32:a:blocked:acdb::f0 wei:f32:a:blocked:Acdb32a::f0 bia:undef::undef::: dst:f32:a:blocked:acdb::f0"


def run() -> int:
    """Print lines read in a second, of a log that repeats itself and of one that never does; 1 if the first is slow."""
    realistic = _measure("repeating", list(_log(DISTINCT)))
    _measure("unique shapes", list(_log(LINES)))
    return 0 if realistic >= MINIMUM_LINES_PER_S else 1


def _measure(name: str, lines: list[str]) -> float:
    duration_s = float("inf")
    for _ in range(READINGS):
        began = time.process_time()
        log = parse(lines)
        duration_s = min(duration_s, time.process_time() - began)
    assert len(log.primitives) + len(log.partitions) + log.other_count == len(lines)
    lines_per_s = len(lines) / duration_s
    print(f"{name}: {lines_per_s:,.0f} lines/s ({len(lines):,} lines, {len(log.primitives):,} primitives)")
    return lines_per_s


def _log(distinct: int) -> Iterator[str]:
    """LINES lines of every grammar, each with a time of its own, over so many problem shapes."""
    chance = random.Random(0)
    for number in range(LINES):
        yield f"{_line(number % distinct)},{chance.expovariate(1):g}\n" if number % 50 else "step 3: loss 0.25\n"


def _line(number: int) -> str:
    size = number + 1
    convolution = f"alg:convolution_direct,mb1_ic64oc{size}_ih56oh56kh3sh1dh0ph1_iw56ow56kw3sw1dw0pw1"
    match number % 5:
        case 0:
            return f"onednn_verbose,exec,cpu,convolution,jit:avx512_core_bf16,forward_training,{_OLD},,{convolution}"
        case 1:
            return (
                f"onednn_verbose,{1.7e12 + number:.6f},primitive,exec,cpu,matmul,brg:avx512_core_vnni,undef,{_MIDDLE},"
                f"attr-scratchpad:user attr-scales:src0:0:f32+wei:2:f32 ,,8x{size}:{size}x64"
            )
        case 2:
            return (
                f"onednn_verbose,v1,primitive,exec,cpu,convolution,brg_conv_fwd:avx512_core,forward_inference,{_NEW},"
                f"attr-scratchpad:user attr-post-ops:eltwise_relu,{convolution}"
            )
        case 3:
            return (
                "onednn_verbose,v1,primitive,exec,cpu,reorder,jit:uni,undef,"
                f"src:f32::blocked:abcd::f0 dst:f32::blocked:acdb::f0,attr-scratchpad:user,,{size}x64x56x56"
            )
        case _:
            return (
                f"onednn_verbose,v1,graph,exec,cpu,{number},quantized_matmul_post_ops,aten::dequantize;aten::linear,,"
                f"in0_u8:0:strided:variable:2x{size}:{size}s1 out0_f32:5:strided:variable:2x9:9s1,"
                "fpm:strict,matmul_t,dnnl_backend"
            )
