"""What each copy of oneDNN says of itself before its first line."""

import pytest
from test_onednn import accounted

from perfsuite.evidence.lines import Header
from perfsuite.evidence.onednn import parse

AMX_ISA = (
    "Intel AVX-512 with float16, Intel DL Boost and bfloat16 support "
    "and Intel AMX with bfloat16 and 8-bit integer support"
)
HEADER = f"""\
onednn_verbose,v1,info,oneDNN v3.7.2 (commit N/A)
onednn_verbose,v1,info,cpu,runtime:OpenMP,nthr:2
onednn_verbose,v1,info,cpu,isa:{AMX_ISA}
onednn_verbose,v1,info,gpu,runtime:none
onednn_verbose,v1,info,graph,backend,0:dnnl_backend
onednn_verbose,v1,info,experimental features are enabled
onednn_verbose,v1,primitive,info,template:operation,engine,primitive,implementation,problem_desc,exec_time
onednn_verbose,v1,graph,info,template:timestamp,operation,engine,partition_id,implementation,backend,exec_time
"""


def test_one_header_for_each_copy_of_the_library() -> None:
    other = (
        "onednn_verbose,info,oneDNN v3.12.0 (commit 80afa71049)\n"
        "onednn_verbose,info,cpu,isa:Intel AVX10.1 and Intel AMX with bfloat16 and 8-bit integer support\n"
        "onednn_verbose,info,cpu,runtime:sequential,nthr:1\n"
        "onednn_verbose,info,prim_template:operation,engine,exec_time\n"
    )
    log = parse((HEADER + other).splitlines(keepends=True))
    assert log.headers == (
        Header(version="3.7.2", commit="N/A", isa=AMX_ISA, runtime="OpenMP", threads=2),
        Header(
            version="3.12.0",
            commit="80afa71049",
            isa="Intel AVX10.1 and Intel AMX with bfloat16 and 8-bit integer support",
            runtime="sequential",
            threads=1,
        ),
    )
    assert (log.remark_count, accounted(log)) == (12, 12)


@pytest.mark.parametrize(
    "isa",
    [
        "Intel SSE4.1",
        "Intel AVX2",
        "Intel AVX2 with Intel DL Boost",
        "Intel AVX-512 with AVX512BW, AVX512VL, and AVX512DQ extensions",
        "Intel AVX-512 with Intel DL Boost and bfloat16 support on Ymm/Zmm",
        AMX_ISA.replace("bfloat16 and", "bfloat16, float16 and") + " (preview support)",
    ],
)
def test_instruction_sets_without_the_rest_of_a_header(isa: str) -> None:
    assert parse([f"onednn_verbose,info,cpu,isa:{isa}"]).headers == (Header(isa=isa),)


@pytest.mark.parametrize(
    "line",
    [
        "info,oneDNN v3.7.1 (commit 8d26",
        "info,cpu,isa:Intel AVX-512 with float16, Intel DL Boost and bfloat16 support and Intel AMX with bfl",
        "info,cpu,runtime:Ope",
        "primitive,info,template:operation,engine,primitive,implem",
    ],
)
def test_wrapped_header_lines(line: str) -> None:
    log = parse([f"onednn_verbose,v1,{line}"])
    assert (log.headers, log.unread_count) == ((), 1)
