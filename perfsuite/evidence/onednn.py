"""oneDNN's verbose output -> records.

Written after verbose.cpp and the graph library's verbose.cpp of oneDNN 2.6 to 3.12. A line is

    onednn_verbose,[v1,][timestamp,][primitive,|graph,|ukernel,]operation,fields...,milliseconds

``v1`` came with 3.6 and the word before the operation with 3.3; until then partitions had a marker of their own. No
field contains a comma, save the header's instruction sets, the reason of a dispatch line and names in a graph.

A line that is cut, wrapped or garbled fits no pattern here: it is counted, and never half-read. One cut cannot be
seen: inside the last field it leaves a shorter, valid time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache, partial

from perfsuite.evidence.lines import ELIDED, Dispatch, Header, Log, Partition, Primitive, Tensor

UNREAD_SAMPLES = 3
UNREAD_SAMPLE_CHARS = 120
#: Far more than the distinct lines of a model, some hundred; a log that never repeats itself gains nothing from it.
REMEMBERED = 4096

_MARKERS = ("onednn_verbose,", "dnnl_verbose,", "onednn_graph_verbose,", "dnnl_graph_verbose,")
_MARKER = re.compile(r"(?:onednn|dnnl)(_graph)?_verbose,(?:v\d+,)?(?:\d+\.\d+,)?", re.ASCII)
_OPERATION = re.compile(r"(?:(primitive|graph|ukernel|common),)?([a-z_]+)(:[a-z_]+)?,(.*)", re.ASCII)
_REMARKS = frozenset({"exec", "create", "create_nested", "compile", "error", "warning", "debuginfo"})
_MILLISECONDS = re.compile(r"\d{1,6}(?:\.\d{1,10})?(?:e[+-]\d\d)?", re.ASCII)  # %g: six significant digits

_ENGINE = r"(?P<engine>(?:cpu|gpu)(?::\d+)?(?:2(?:cpu|gpu))?)"
_HEAD = rf"{_ENGINE},(?P<kind>[a-z]\w*),(?P<implementation>[\w:+.-]*)"
_PROBLEM = r"(?P<problem>[\w:*.+-]+)"
_WORDS = r"[\w:+.*; -]*"
# A micro-kernel made before the library was told to speak prints neither types nor shape (3.7).
_BARE_MICRO_KERNEL = re.compile(rf"{_ENGINE},(?P<kind>brgemm),(?P<implementation>),undef,(?P<problem>)", re.ASCII)
_PRIMITIVE = re.compile(
    rf"{_HEAD},(?P<prop_kind>undef|forward\w*|backward\w*),(?P<tensors>[^,]+),"
    rf"(?P<attributes>{_WORDS}),(?P<auxiliary>{_WORDS}),{_PROBLEM}",
    re.ASCII,
)
_ELIDED_PRIMITIVE = re.compile(rf"{_HEAD},{re.escape(ELIDED)},{_PROBLEM}", re.ASCII)
_NAMELESS = frozenset({"gemm_api", "brgemm"})  # the only kinds without an implementation
_DTYPE = r"undef|f64|f32|bf16|f16|f8_e5m2|f8_e4m3|f4_e2m1|f4_e3m0|e8m0|s64|s32|s8|s4|u8|u4|boolean"
# role, "_" up to 3.5 and in gemm_api, dtype, flags (any, padded, offset), kind of format, tag, strides (3.2 on), extra.
_TENSOR = re.compile(
    rf"(?P<role>[a-z]\w*?)[_:](?P<dtype>{_DTYPE}):[apo0]{{0,4}}:"
    r"(?:undef:{2,3}(?:f0)?|(?P<kind>[a-z_]+):(?P<tag>[\w*]*)(?::[\dx*]*)?:f\d+(?:_mask\d+)?(?::[a-z][\w.+-]*)*)",
    re.ASCII,
)
_PARTITION = re.compile(
    rf"{_ENGINE},(?P<partition_id>\d{{1,20}}),(?P<kind>\w+),(?P<ops>.+),[^,]*,[^,]+,fpm:[\w:]+,"
    r"(?:[^,]*,)?(?P<backend>\w+)",
    re.ASCII,
)
_GRAPH_KERNEL = re.compile(rf"{_ENGINE},_\w+\(\w*\),.*", re.ASCII)  # glue between the primitives of a partition

_VERSION = re.compile(r"oneDNN v(?P<version>[\w.-]+) \(commit (?P<commit>[^()]+)\)", re.ASCII)
_RUNTIME = re.compile(
    r"cpu,runtime:(?P<runtime>none|sequential|OpenMP|TBB|threadpool|DPC\+\+)(?:,nthr:(?P<threads>\d{1,9}))?", re.ASCII
)
# The texts of get_isa_info; those that go on after the first name all end in one of these words.
_ISA = re.compile(
    r"cpu,isa:(?P<isa>Generic|Intel (?:64|SSE4\.1|AVX2?|AVX-512|AVX10\.\d)"
    r"(?: .*(?:support\)?|extensions|Boost|Ymm/Zmm))?)",
    re.ASCII,
)


def parse(lines: Iterable[str]) -> Log:
    """Read a log. Whatever cannot be read is counted, and its first lines kept; nothing raises."""
    reader = _Reader()
    for line in lines:
        reader.read(line)
    return reader.log()


class _Reader:
    """Sorts lines into records. A log repeats itself: what a line's text means, its time apart, is kept."""

    def __init__(self) -> None:
        self.headers: list[Header] = []
        self.primitives: list[Primitive] = []
        self.partitions: list[Partition] = []
        self.dispatches: list[Dispatch] = []
        self.unread: list[str] = []
        self.creation_count = self.cache_hit_count = self.remark_count = self.unread_count = self.other_count = 0
        self._known: dict[str, Callable[[float], None]] = {}

    def read(self, line: str) -> None:
        if line.startswith(_MARKERS) and line.count("_verbose,") == 1:
            self._read_piece(line)
            return
        starts = [marker.start() for marker in _MARKER.finditer(line)]
        if not starts:
            self.other_count += 1
        for start, end in zip(starts, [*starts[1:], len(line)], strict=False):
            self._read_piece(line[start:end])

    def log(self) -> Log:
        return Log(
            headers=tuple(self.headers),
            primitives=tuple(self.primitives),
            partitions=tuple(self.partitions),
            dispatches=tuple(self.dispatches),
            creation_count=self.creation_count,
            cache_hit_count=self.cache_hit_count,
            remark_count=self.remark_count,
            unread_count=self.unread_count,
            unread=tuple(self.unread),
            other_count=self.other_count,
        )

    def _read_piece(self, piece: str) -> None:
        marker = _MARKER.match(piece)
        assert marker is not None
        text = piece[marker.end() :].rstrip()
        if marker[1]:
            text = f"graph,{text}"
        head, _, last = text.rpartition(",")
        take = self._known.get(head)
        if take is None:
            take = self._timed(head)
            if take is None:
                if not self._read_untimed(text):
                    self._give_up(piece)
                return
            if len(self._known) < REMEMBERED:
                self._known[head] = take
        if _MILLISECONDS.fullmatch(last):
            take(float(last) / 1e3)
        else:
            self._give_up(piece)

    def _give_up(self, piece: str) -> None:
        self.unread_count += 1
        if len(self.unread) < UNREAD_SAMPLES:
            text = piece.strip()
            cut = len(text) > UNREAD_SAMPLE_CHARS
            self.unread.append(text[: UNREAD_SAMPLE_CHARS - 3] + "..." if cut else text)

    def _timed(self, head: str) -> Callable[[float], None] | None:
        """What to do with the time that ends a line; None for lines without one and for unreadable ones."""
        operation = _OPERATION.fullmatch(head)
        if operation is None:
            return None
        library, name, state, fields = operation.groups()
        if name == "exec" and state is None:
            return self._partition(fields) if library == "graph" else self._primitive(fields)
        if name == "create" and state and "cache" in state and _primitive(fields):
            return self._count_creation if state == ":cache_miss" else self._count_cache_hit
        return None

    def _primitive(self, fields: str) -> Callable[[float], None] | None:
        make = _primitive(fields)
        if make is None:
            return None
        add = self.primitives.append
        return lambda time_s: add(make(time_s=time_s))

    def _partition(self, fields: str) -> Callable[[float], None] | None:
        found = _PARTITION.fullmatch(fields)
        if found is None:
            return self._count_remark if _GRAPH_KERNEL.fullmatch(fields) else None
        make = partial(
            Partition,
            engine=found["engine"],
            partition_id=int(found["partition_id"]),
            kind=found["kind"],
            ops=tuple(found["ops"].split(";")),
            backend=found["backend"],
        )
        add = self.partitions.append
        return lambda time_s: add(make(time_s=time_s))

    def _count_creation(self, time_s: float) -> None:
        self.creation_count += 1

    def _count_cache_hit(self, time_s: float) -> None:
        self.cache_hit_count += 1

    def _count_remark(self, time_s: float) -> None:
        self.remark_count += 1

    def _read_untimed(self, text: str) -> bool:
        operation = _OPERATION.fullmatch(text)
        if operation is None:
            return False
        library, name, state, fields = operation.groups()
        if state == ":dispatch" and library != "graph":
            dispatch = _dispatch(fields)
            if dispatch is not None:
                self.dispatches.append(dispatch)
            return dispatch is not None
        if name == "info":
            readable = self._read_info(fields) if library is None else _is_whole_template(fields)
        else:
            cut = (name == "exec" and state is None) or (name == "create" and "cache" in (state or ""))
            readable = name in _REMARKS and not cut
        self.remark_count += readable
        return readable

    def _read_info(self, text: str) -> bool:
        version, runtime, isa = _VERSION.fullmatch(text), _RUNTIME.fullmatch(text), _ISA.fullmatch(text)
        if version:
            self.headers.append(Header(version=version["version"], commit=version["commit"]))
        elif runtime:
            threads = int(runtime["threads"]) if runtime["threads"] else None
            header = self._take_header_without("runtime")
            self.headers.append(replace(header, runtime=runtime["runtime"], threads=threads))
        elif isa:
            self.headers.append(replace(self._take_header_without("isa"), isa=isa["isa"]))
        else:
            return _is_whole_template(text) and not text.startswith(("oneDNN v", "cpu,"))
        return True

    def _take_header_without(self, field: str) -> Header:
        """The last header, to be completed; a new one if that has the field, or if none began with a version."""
        if self.headers and not getattr(self.headers[-1], field):
            return self.headers.pop()
        return Header()


def _is_whole_template(text: str) -> bool:
    """Whether a line that lists the fields does so to the end; other remarks do not show where they end."""
    return "template:" not in text or text.endswith("exec_time")


def _primitive(fields: str) -> partial[Primitive] | None:
    """The record of an execution, its time to be added."""
    found = _PRIMITIVE.fullmatch(fields)
    elided = _ELIDED_PRIMITIVE.fullmatch(fields) if found is None else None
    head = found or elided or _BARE_MICRO_KERNEL.fullmatch(fields)
    absent = ELIDED if elided else ""
    if head is None or not (head["implementation"] or head["kind"] in _NAMELESS):
        return None
    tensors = _tensors(found["tensors"]) if found else ()
    if found and not tensors:
        return None
    return partial(
        Primitive,
        engine=head["engine"],
        kind=head["kind"],
        implementation=head["implementation"],
        prop_kind=found["prop_kind"] if found else absent,
        tensors=tensors,
        attributes=found["attributes"].rstrip() if found else absent,
        auxiliary=found["auxiliary"] if found else absent,
        problem=head["problem"],
    )


@lru_cache(maxsize=4096)
def _tensors(text: str) -> tuple[Tensor, ...]:
    """All descriptors, or none if any cannot be read."""
    found = [_TENSOR.fullmatch(word) for word in text.split()]
    return tuple(
        Tensor(role=one["role"], dtype=one["dtype"], layout=one["tag"] or one["kind"] or "undef")
        for one in found
        if one and all(found)
    )


def _dispatch(fields: str) -> Dispatch | None:
    """``part,[engine,kind,implementation,prop_kind,tensors,attributes,auxiliary,problem,]reason,file:line``."""
    part, *said = fields.split(",")
    if len(said) < 2 or not re.fullmatch(r".+:\d+", said[-1]):
        return None
    described = re.fullmatch(_ENGINE, said[0]) is not None
    if described and len(said) < 10:
        return None
    reason = said[8:-1] if described else said[:-1]
    return Dispatch(
        primitive=said[1] if described else part,
        implementation=said[2] if described else "",
        problem=said[7] if described else "",
        reason=",".join(reason).strip(),
        where=said[-1],
    )
