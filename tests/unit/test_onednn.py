"""oneDNN's verbose output: every grammar from 2.7 to 3.12, and the traps of each."""

import pytest

from perfsuite.evidence.lines import ELIDED, Dispatch, Log, Partition, Primitive, Tensor
from perfsuite.evidence.onednn import REMEMBERED, UNREAD_SAMPLE_CHARS, UNREAD_SAMPLES, parse

OLD = "onednn_verbose,exec,cpu,"
MIDDLE = "onednn_verbose,primitive,exec,cpu,"
NEW = "onednn_verbose,v1,primitive,exec,cpu,"
TENSORS = "src:bf16::blocked:ab::f0 wei:bf16::blocked:ab::f0 dst:bf16::blocked:ab::f0"
LINE = f"{NEW}matmul,brg_matmul:avx10_1_512_amx,undef,{TENSORS},attr-scratchpad:user,,48x16:16x24,0.305908"


def one(line: str) -> Primitive:
    log = parse([line])
    assert log.unread == ()
    (primitive,) = log.primitives
    return primitive


def tensors(*texts: str) -> tuple[Tensor, ...]:
    """``src bf16 ab`` -> a tensor each."""
    words = [text.split() for text in texts]
    return tuple(Tensor(role=role, dtype=dtype, layout=layout) for role, dtype, layout in words)


def accounted(log: Log) -> int:
    records = (log.primitives, log.partitions, log.dispatches)
    counts = (log.creation_count, log.cache_hit_count, log.remark_count, log.unread_count, log.other_count)
    return sum(map(len, records)) + sum(counts)


CONVOLUTION = "mb2_ic3oc16_ih32oh16kh3sh2dh0ph1_iw32ow16kw3sw2dw0pw1"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param(
            f"{OLD}convolution,jit:avx512_core_amx_bf16,forward_training,src_bf16::blocked:acdb:f0 "
            "wei_bf16:p:blocked:ABcd16b16a2b:f0 bia_undef::undef::f0 dst_bf16::blocked:acdb:f0,attr-scratchpad:user ,"
            f"alg:convolution_direct,{CONVOLUTION},0.25",
            Primitive(
                engine="cpu",
                kind="convolution",
                implementation="jit:avx512_core_amx_bf16",
                prop_kind="forward_training",
                tensors=tensors("src bf16 acdb", "wei bf16 ABcd16b16a2b", "bia undef undef", "dst bf16 acdb"),
                attributes="attr-scratchpad:user",
                auxiliary="alg:convolution_direct",
                problem=CONVOLUTION,
                time_s=0.25e-3,
            ),
            id="2.7",
        ),
        pytest.param(
            f"{MIDDLE}matmul,brg:avx512_core_vnni,undef,src_u8::blocked:ab::f0 wei_s8:ap:blocked:BA16a64b4a::f8:zpm2 "
            "bia_f32::blocked:ab::f0_mask2 dst_f32::blocked:ab:96x1:f0,attr-scratchpad:user attr-scales:src0:0+wei:2 ,,"
            "5x32:32x48,1.5",
            Primitive(
                engine="cpu",
                kind="matmul",
                implementation="brg:avx512_core_vnni",
                prop_kind="undef",
                tensors=tensors("src u8 ab", "wei s8 BA16a64b4a", "bia f32 ab", "dst f32 ab"),
                attributes="attr-scratchpad:user attr-scales:src0:0+wei:2",
                auxiliary="",
                problem="5x32:32x48",
                time_s=1.5e-3,
            ),
            id="3.4",
        ),
        pytest.param(
            f"{NEW}rnn,brgemm:avx10_1_512_amx,forward_inference,src_layer:bf16::blocked:abc::f0 "
            "wei_layer:bf16:a:blocked:abdEC32e2c::f0 bias:bf16::blocked:abcd::f0 dst_layer:bf16::blocked:abc::f0,"
            "attr-scratchpad:user,alg:vanilla_lstm direction:unidirectional_left2right activation:undef flags:,"
            "l1t5mb2sic32slc16dhc32dic32,5.26514",
            Primitive(
                engine="cpu",
                kind="rnn",
                implementation="brgemm:avx10_1_512_amx",
                prop_kind="forward_inference",
                tensors=tensors(
                    "src_layer bf16 abc", "wei_layer bf16 abdEC32e2c", "bias bf16 abcd", "dst_layer bf16 abc"
                ),
                attributes="attr-scratchpad:user",
                auxiliary="alg:vanilla_lstm direction:unidirectional_left2right activation:undef flags:",
                problem="l1t5mb2sic32slc16dhc32dic32",
                time_s=5.26514e-3,
            ),
            id="3.7",
        ),
    ],
)
def test_a_line_of_each_grammar(line: str, expected: Primitive) -> None:
    read = one(line)
    assert read.time_s == pytest.approx(expected.time_s)
    assert {name: getattr(read, name) for name in Primitive.__slots__ if name != "time_s"} == {
        name: getattr(expected, name) for name in Primitive.__slots__ if name != "time_s"
    }


@pytest.mark.parametrize(
    ("descriptor", "tensor"),
    [
        ("src:f8_e5m2::blocked:ab::f0", "src f8_e5m2 ab"),
        ("src_f8_e4m3::blocked:ab:f0", "src f8_e4m3 ab"),
        ("src_layer_f32::blocked:abc:f0", "src_layer f32 abc"),
        ("wei:s8:a:blocked:Acdb16a::f104:s8m1:zpm1:sa0.5", "wei s8 Acdb16a"),
        ("wei_s8::rnn_packed::f0", "wei s8 rnn_packed"),
        ("wei:s8::rnn_packed:::f0", "wei s8 rnn_packed"),
        ("wei:f32:a:any:any::f0", "wei f32 any"),
        ("wei:s8::sparse:packed::f0", "wei s8 packed"),
        ("src:f32::blocked:*::f0", "src f32 *"),
        ("bia_undef::undef::", "bia undef undef"),
        ("bia:undef::undef:::", "bia undef undef"),
        ("src:f32:p0:blocked:abcd:36928x1x577x577:f0", "src f32 abcd"),
    ],
)
def test_descriptors(descriptor: str, tensor: str) -> None:
    assert one(f"{NEW}reorder,jit:uni,undef,{descriptor},,,4x4,1").tensors == tensors(tensor)


@pytest.mark.parametrize("prefix", ["onednn_verbose,", "dnnl_verbose,"])
@pytest.mark.parametrize("version", ["", "v1,", "v0,"])
@pytest.mark.parametrize("timestamp", ["", "1795492548066.393066,"])
@pytest.mark.parametrize("library", ["", "primitive,", "ukernel,"])
def test_prefixes(prefix: str, version: str, timestamp: str, library: str) -> None:
    fields = LINE.removeprefix("onednn_verbose,v1,primitive,")
    assert one(f"{prefix}{version}{timestamp}{library}{fields}") == one(LINE)


@pytest.mark.parametrize(
    ("text", "time_s"),
    [("0", 0.0), ("15527", 15.527), ("0.000976562", 9.76562e-7), ("1.23e-05", 1.23e-8), ("2e+06", 2e3)],
)
def test_times_as_printed_by_percent_g(text: str, time_s: float) -> None:
    assert one(LINE.replace("0.305908", text)).time_s == pytest.approx(time_s)


@pytest.mark.parametrize(
    "text", ["", "nan", "inf", "-0.5", "1_0", "0x1", "0.5 ", "0.5ms", "1e5", "٣", "0,5", "9" * 400]
)
def test_what_is_no_time(text: str) -> None:
    line = LINE.replace("0.305908", text)
    log = parse([line])
    if text == "0.5 ":  # blanks and line ends may follow
        assert log.primitives
    else:
        assert (log.primitives, log.unread_count) == ((), 1)


def test_attributes_with_blanks_and_plus() -> None:
    attributes = "attr-scratchpad:user attr-post-ops:binary_mul:u8:1+binary_mul:f32:1+eltwise_clip:-128:127"
    assert one(LINE.replace("attr-scratchpad:user", f"{attributes} ")).attributes == attributes


def test_gemm_api_has_no_implementation_and_an_old_descriptor() -> None:
    primitive = one(
        f"{NEW}gemm_api,,undef,src_s8::blocked:ab:f0 wei_s8::blocked:ab:f0 dst_s32::blocked:ab:f0,"
        "lda:70 attr-post-ops:sum:1 ,,32x64:64x32,26.7441"
    )
    assert (primitive.kind, primitive.implementation, primitive.work_dtype) == ("gemm_api", "", "int8")


def test_micro_kernels_are_primitives_of_their_own_library() -> None:
    tensors = "src:bf16::blocked:ab::f0 wei:bf16::blocked:ab::f0 dst:f32::blocked:ab::f0"
    primitive = one(f"onednn_verbose,v1,ukernel,exec,cpu,brgemm,,undef,{tensors},,bs:3 beta:0,64x256:256x32,0.00390625")
    assert (primitive.kind, primitive.implementation, primitive.work_dtype) == ("brgemm", "", "bf16")
    assert primitive.macs == 3 * 64 * 256 * 32


def test_a_micro_kernel_may_tell_nothing_but_its_time() -> None:
    primitive = one("onednn_verbose,v1,ukernel,exec,cpu,brgemm,,undef,,0.0175781")
    assert (primitive.kind, primitive.tensors, primitive.problem, primitive.macs) == ("brgemm", (), "", None)
    assert primitive.time_s == pytest.approx(17.5781e-6)
    assert parse(["onednn_verbose,v1,primitive,exec,cpu,matmul,brg:avx512_core,undef,,0.0175781"]).unread_count == 1


def test_no_other_kind_may_lack_its_implementation() -> None:
    log = parse([LINE.replace("brg_matmul:avx10_1_512_amx", "")])
    assert (log.primitives, log.unread_count) == ((), 1)


def test_elided_middle_is_marked() -> None:
    primitive = one(f"{NEW}matmul,ref:any,...,64x64:64x32,15527")
    assert (primitive.implementation, primitive.problem, primitive.time_s) == ("ref:any", "64x64:64x32", 15.527)
    assert (primitive.tensors, primitive.work_dtype) == ((), None)
    assert {primitive.prop_kind, primitive.attributes, primitive.auxiliary} == {ELIDED}
    assert primitive.macs == 64 * 64 * 32


def test_marker_after_other_output() -> None:
    log = parse([f"Processed:   0%|   | 0/4 [00:00<?, ?it/s]{LINE}\r\n"])
    assert log.primitives == (one(LINE),)
    assert log.other_count == 0


def test_a_line_cut_by_the_next_one() -> None:
    log = parse([LINE[:100] + LINE])
    assert (log.primitives, log.unread_count) == ((one(LINE),), 1)


def test_repeated_lines_keep_their_own_times_and_shapes() -> None:
    shapes = [f"{rows}x16:16x24" for rows in range(REMEMBERED + 100)]
    lines = [LINE.replace("48x16:16x24,0.305908", f"{shape},{ms}") for ms in (1, 2) for shape in shapes]
    log = parse(lines)
    assert [primitive.problem for primitive in log.primitives] == shapes * 2
    assert [primitive.time_s for primitive in log.primitives] == [1e-3] * len(shapes) + [2e-3] * len(shapes)


def test_lines_that_are_not_onednn() -> None:
    log = parse(["", "epoch 1\n", "MKL_VERBOSE SGEMM(N,N,4,4,4)", "ONEDNN_VERBOSE=1", "onednn_verbose"])
    assert (accounted(log), log.other_count) == (5, 5)


def test_unread_lines_are_sampled_and_shortened() -> None:
    log = parse([f"onednn_verbose,v1,{number},{'x' * 500}" for number in range(5)])
    assert (log.unread_count, len(log.unread)) == (5, UNREAD_SAMPLES)
    assert log.unread[0].startswith("onednn_verbose,v1,0,xxx")
    assert {len(sample) for sample in log.unread} == {UNREAD_SAMPLE_CHARS}
    assert all(sample.endswith("xxx...") for sample in log.unread)


PARTITION = (
    "cpu,100064,quantized_convolution_post_ops,aten::dequantize;aten::_convolution;aten::relu,data:;NCX; filter:;OIX;;,"
    "in0_u8:0:strided:variable:2x3x16x16:768s256s16s1 out0_f32:11:strided:variable:2x32x16x16:8192s1s512s32,fpm:strict"
)


@pytest.mark.parametrize(
    "line",
    [
        f"onednn_graph_verbose,exec,{PARTITION},dnnl_backend,0.5",
        f"onednn_verbose,graph,exec,{PARTITION},dnnl_backend,0.5",
        f"onednn_verbose,v1,graph,exec,{PARTITION},conv_fwd_t,dnnl_backend,0.5",
        f"onednn_verbose,v1,1795492548066.393066,graph,exec,{PARTITION}:true,larger_partition_kernel_t,dnnl_backend,0.5",
    ],
)
def test_partitions_are_no_primitives(line: str) -> None:
    log = parse([line])
    assert (log.primitives, log.unread) == ((), ())
    assert log.partitions == (
        Partition(
            engine="cpu",
            partition_id=100064,
            kind="quantized_convolution_post_ops",
            ops=("aten::dequantize", "aten::_convolution", "aten::relu"),
            backend="dnnl_backend",
            time_s=0.5e-3,
        ),
    )


def test_dispatch_with_and_without_the_problem() -> None:
    described = f"cpu,matmul,brg:avx512_core_amx_fp16,undef,{TENSORS},,,4x5:5x6"
    log = parse(
        [
            f"onednn_verbose,create:dispatch,matmul,{described},unsupported isa,src/cpu/x64/brgemm_matmul.cpp:101",
            "onednn_verbose,v1,1795492548087.856934,primitive,create:dispatch,convolution,"
            "unsupported feature for padding: f,t,l padding not supported,src/cpu/x64/jit_1x1_conv_kernel.cpp:680",
        ]
    )
    assert log.dispatches == (
        Dispatch(
            primitive="matmul",
            implementation="brg:avx512_core_amx_fp16",
            problem="4x5:5x6",
            reason="unsupported isa",
            where="src/cpu/x64/brgemm_matmul.cpp:101",
        ),
        Dispatch(
            primitive="convolution",
            implementation="",
            problem="",
            reason="unsupported feature for padding: f,t,l padding not supported",
            where="src/cpu/x64/jit_1x1_conv_kernel.cpp:680",
        ),
    )


def test_creations_and_remarks() -> None:
    created = LINE.partition("exec,")[2]
    log = parse(
        [
            f"onednn_verbose,v1,primitive,create:cache_miss,{created}",
            f"onednn_verbose,v1,1795492548065.904053,primitive,create:cache_miss,{created}",
            f"onednn_verbose,create:cache_hit,{created}",
            f"onednn_verbose,v1,primitive,create_nested:cache_miss,{created}",
            f"onednn_verbose,v1,graph,compile:cache_miss,{PARTITION},conv_fwd_t,dnnl_backend,1.5",
            "onednn_verbose,v1,graph,create:dispatch,pattern_matcher,op:Wildcard (prim::Constant),node:MatMul0,"
            "node matching failed:attributes of bind_op & bind_node do not match,nested_matcher.cpp:592 ",
            "onednn_verbose,v1,primitive,exec:check,primitive,unused primitive execution argument (80),"
            "src/common/primitive_exec_types.cpp:136",
            "onednn_verbose,v1,primitive,warning,ukernel,Scratchpad is not cache-line aligned,brgemm.cpp:207",
            "onednn_verbose,v1,common,error,filter format is ill-formed and is not applied, error: mismatched bracket",
            "onednn_verbose,v1,graph,exec,cpu,_gen_index(_gen_index),18446744073709551615,attrs:{axis:2},"
            "inputs:{f32:102:strided:undef:1x16:16x1},outputs:{s32:1021:strided:undef:1x16:16x1},0.193115",
        ]
    )
    assert (log.creation_count, log.cache_hit_count, log.remark_count) == (2, 1, 7)
    assert (log.unread, log.primitives, log.partitions, log.dispatches) == ((), (), (), ())
