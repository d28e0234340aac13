"""Damaged and generated verbose output: nothing raises, nothing is lost, nothing is half-read."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from test_onednn import LINE, MIDDLE, OLD, PARTITION, TENSORS, accounted

from perfsuite.evidence.lines import Log, Primitive
from perfsuite.evidence.onednn import parse

STAMPED = "onednn_verbose,v1,1795492548066.393066,primitive,"
TIMED = (
    LINE,
    f"{OLD}reorder,simple:any,undef,src_f32::blocked:a:f0 dst_f32::blocked:a:f0,attr-scratchpad:user ,,2,5.2561",
    f"{MIDDLE}softmax,jit:avx512_core,forward_inference,src_f32::blocked:ab::f0 dst_f32::blocked:ab::f0,,"
    "alg:softmax_accurate axis:1,7x9,1.5e-05",
    f"{STAMPED}exec,cpu,convolution,brgconv_1x1:avx512_core,forward_training,src:f32:a:blocked:acdb::f0 "
    "wei:f32:a:blocked:Acdb32a::f0 bia:undef::undef::: dst:f32:a:blocked:acdb::f0,attr-scratchpad:user "
    "attr-post-ops:eltwise_relu+sum:0.5,alg:convolution_direct,mb1_ic16oc32_ih8oh8kh1sh1dh0ph0_iw8ow8kw1sw1dw0pw0,12",
    "onednn_verbose,v1,ukernel,exec,cpu,brgemm,,undef,src:bf16::blocked:ab::f0 wei:bf16::blocked:ab::f0 "
    "dst:f32::blocked:ab::f0,,bs:1 beta:0,64x256:256x64,0.00390625",
    "onednn_verbose,v1,primitive,exec,cpu,matmul,ref:any,...,64x64:64x32,15527",
    f"onednn_graph_verbose,exec,{PARTITION},dnnl_backend,0.5",
    f"onednn_verbose,v1,graph,exec,{PARTITION},conv_fwd_t,dnnl_backend,0.5",
    f"onednn_verbose,create:cache_miss,cpu,matmul,brg:avx512_core,undef,{TENSORS},,,4x5:5x6,0.25",
    f"{STAMPED}create:cache_hit,cpu,matmul,brg_matmul:avx512_core,undef,{TENSORS},,,4x5:5x6,0.25",
)
UNTIMED = (
    f"{STAMPED}create:dispatch,matmul,cpu,matmul,ref:any,undef,{TENSORS},,,4x5:5x6,unsupported isa,src/brgemm.cpp:101",
    "onednn_verbose,v1,primitive,create:dispatch,convolution,bad param: f,t,l padding,src/kernel.cpp:680",
    "onednn_verbose,v1,info,oneDNN v3.7.1 (commit 8d263e69)",
)


def recorded(log: Log) -> int:
    """Lines that say that something ran, was made or was passed over."""
    return len(log.primitives) + len(log.partitions) + len(log.dispatches) + log.creation_count + log.cache_hit_count


@pytest.mark.parametrize("line", TIMED)
def test_a_line_cut_before_its_time_is_unread(line: str) -> None:
    assert recorded(parse([line])) == 1
    marker = line.index("verbose,") + len("verbose,")
    for end in range(marker, line.rindex(",") + 2):
        log = parse([line[:end]])
        whole = end == line.rindex(",") + 2  # the first digit of the time
        assert (recorded(log), log.unread_count) == ((1, 0) if whole else (0, 1)), line[:end]


@pytest.mark.parametrize("line", TIMED + UNTIMED)
def test_a_line_that_lost_its_beginning_is_not_onednn(line: str) -> None:
    for start in range(1, len(line)):
        log = parse([line[start:]])
        assert (recorded(log), log.other_count) == (0, 1), line[start:]


@pytest.mark.parametrize("line", UNTIMED[:2])
def test_a_dispatch_line_cut_before_its_place_is_unread(line: str) -> None:
    marker = line.index("verbose,") + len("verbose,")
    for end in range(marker, line.rindex(":") + 1):
        log = parse([line[:end]])
        assert (recorded(log), log.unread_count) == (0, 1), line[:end]


@pytest.mark.parametrize("width", [40, 80, 100, 125, 132])
def test_hard_wrapped_log(width: int) -> None:
    pieces = [line[start : start + width] for line in TIMED[:4] for start in range(0, len(line), width)]
    log = parse(pieces)
    fitting = sum(len(line) <= width for line in TIMED[:4])
    assert (recorded(log), log.unread_count, accounted(log)) == (fitting, 4 - fitting, len(pieces))


def is_faithful(primitive: Primitive, line: str) -> bool:
    """Whether the record says what its line does, field by field."""
    if primitive.tensors:
        *_, engine, kind, implementation, prop_kind, tensors, attributes, auxiliary, problem, time = line.split(",")
        words = tensors.split()
        return (
            (primitive.engine, primitive.kind, primitive.implementation) == (engine, kind, implementation)
            and (primitive.prop_kind, primitive.auxiliary, primitive.problem) == (prop_kind, auxiliary, problem)
            and primitive.attributes == attributes.rstrip()
            and primitive.time_s == float(time) / 1e3
            and len(words) == len(primitive.tensors)
            and all(
                word.startswith((f"{tensor.role}:{tensor.dtype}:", f"{tensor.role}_{tensor.dtype}:"))
                and f":{tensor.layout}:" in word
                for word, tensor in zip(words, primitive.tensors, strict=True)
            )
        )
    if short := re.fullmatch(r".*ukernel,exec,(\w+),(\w+),,undef,,([^,]+)", line):
        return (primitive.engine, primitive.kind, primitive.time_s) == (short[1], short[2], float(short[3]) / 1e3)
    *_, engine, kind, implementation, problem, time = line.replace(",...,", ",").split(",")
    return (primitive.engine, primitive.kind, primitive.implementation, primitive.problem, primitive.time_s) == (
        engine,
        kind,
        implementation,
        problem,
        float(time) / 1e3,
    )


@st.composite
def damaged_lines(draw: st.DrawFn) -> str:
    """A valid line after up to three cuts, insertions, doublings or swaps."""
    line: str = draw(st.sampled_from(TIMED + UNTIMED))
    for _ in range(draw(st.integers(1, 3))):
        start, end = sorted(draw(st.tuples(*[st.integers(0, len(line))] * 2)))
        other = draw(st.sampled_from(["", line[start:end] * 2, line[start:end][::-1]]) | st.text(max_size=5))
        line = line[:start] + other + line[end:]
    return line


@given(damaged_lines())
@example("onednn_verbose,v1,ukernel,exec,cpu,brgemm,,undef,,0.00390625")
def test_damaged_lines_are_read_as_they_stand_or_not_at_all(line: str) -> None:
    log = parse([line])
    assert accounted(log) == max(1, len(re.findall(r"(?:onednn|dnnl)(?:_graph)?_verbose,", line)))
    assert all(is_faithful(primitive, line.rpartition("verbose,")[2].rstrip()) for primitive in log.primitives[-1:])
    for primitive in log.primitives:
        assert primitive.time_s >= 0
        assert primitive.macs is None or primitive.macs >= 0
        assert isinstance(primitive.work_dtype, str | None)


@given(st.lists(st.text()))
def test_no_text_raises_and_every_line_counts(lines: list[str]) -> None:
    assert accounted(parse(lines)) >= len(lines)


@given(st.sampled_from(TIMED + UNTIMED), st.text(st.characters(codec="ascii")))
def test_no_ending_raises(line: str, ending: str) -> None:
    marker = line.index("verbose,") + len("verbose,")
    assert accounted(parse([line[:marker] + ending])) >= 1


names = st.from_regex(r"[a-z][a-z0-9_]{0,12}(:[a-z0-9_]{1,12}){0,2}", fullmatch=True)
dtypes = st.sampled_from(["f32", "bf16", "f16", "s8", "u8", "f8_e5m2", "s32"])
descriptors = st.tuples(
    st.sampled_from(["src", "wei", "dst", "src_layer", "wei_iter"]),
    dtypes,
    st.sampled_from(["", "a", "p", "ap"]),
    st.from_regex(r"[a-fA-F]{1,5}(16[a-f]){0,2}", fullmatch=True),
    st.sampled_from(["f0", "f8:zpm1", "f104:s8m3:sa0.5"]),
)
words = st.lists(st.from_regex(r"[a-z-]{1,10}:[a-z0-9_:+.-]{1,15}", fullmatch=True), max_size=3).map(" ".join)


@given(
    grammar=st.sampled_from(["2.7", "3.4", "3.12"]),
    timestamp=st.sampled_from(["", "1795492548066.393066,"]),
    kind=st.from_regex(r"[a-z][a-z_]{1,20}", fullmatch=True),
    implementation=names,
    prop_kind=st.sampled_from(["undef", "forward_training", "forward_inference", "backward_data"]),
    tensors=st.lists(descriptors, min_size=1, max_size=5),
    attributes=words,
    auxiliary=words,
    problem=st.from_regex(r"[a-z0-9_x:*]{1,40}", fullmatch=True),
    time_ms=(st.just(0.0) | st.floats(1e-9, 999_999)).map(lambda time: f"{time:g}"),
)
def test_round_trip(
    grammar: str,
    timestamp: str,
    kind: str,
    implementation: str,
    prop_kind: str,
    tensors: list[tuple[str, str, str, str, str]],
    attributes: str,
    auxiliary: str,
    problem: str,
    time_ms: str,
) -> None:
    prefix = {"2.7": "", "3.4": "primitive,", "3.12": "primitive,"}[grammar]
    joint, strides = {"2.7": ("_", ""), "3.4": ("_", ":"), "3.12": (":", ":")}[grammar]
    version = "v1," if grammar == "3.12" else ""
    descriptions = " ".join(
        f"{role}{joint}{dtype}:{flags}:blocked:{tag}{strides}:{extra}" for role, dtype, flags, tag, extra in tensors
    )
    log = parse(
        [
            f"onednn_verbose,{version}{timestamp}{prefix}exec,cpu,{kind},{implementation},{prop_kind},{descriptions},"
            f"{attributes},{auxiliary},{problem},{time_ms}\n"
        ]
    )
    assert log.unread == ()
    (read,) = log.primitives
    assert (read.engine, read.kind, read.implementation, read.prop_kind) == ("cpu", kind, implementation, prop_kind)
    assert [(tensor.role, tensor.dtype, tensor.layout) for tensor in read.tensors] == [
        (role, dtype, tag) for role, dtype, _, tag, _ in tensors
    ]
    assert (read.attributes, read.auxiliary, read.problem) == (attributes, auxiliary, problem)
    assert read.time_s == float(time_ms) / 1e3
