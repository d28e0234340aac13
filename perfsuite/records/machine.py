"""The machine class, and what a stack says of the machine it runs on."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, fields
from typing import Any

from perfsuite.records.isa import Isa, isa_of

# Words of a model name that tell no two processors apart.
_NOISE = re.compile(r"\((r|tm|c)\)|@.*|\b(cpu|processor|\d+-core|with radeon.*)\b", re.IGNORECASE)


_LONGEST_MODEL = 40  # own judgement: a directory name that still fits a terminal column


_HASH_DIGITS = 6  # 24 bits: two of 100 machine classes collide with probability 3e-4


# The highest instruction set names the class for people; the digest tells the rest apart.
_LEVELS = (
    ("amx_tile", "amx"),
    ("avx512_bf16", "avx512bf16"),
    ("avx512_vnni", "avx512vnni"),
    ("avx512f", "avx512"),
    ("avx_vnni", "avxvnni"),
    ("avx2", "avx2"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineClass:
    """Baselines are kept for each of these; `threads` is the number of threads a worker computes with.

    The rest tells placements apart: the NUMA `nodes` that are used, of a machine that has several; how many threads
    share a core with another (`siblings`) or run on E cores (`efficient`); how many `instances` run at once. Which
    cores of a node they are it does not tell: those are alike, and a container gets others every day.
    """

    cpu_model: str
    physical_cores: int
    isa: tuple[str, ...]
    threads: int
    nodes: tuple[int, ...] = ()
    siblings: int = 0
    efficient: int = 0
    instances: int = 1

    @property
    def slug(self) -> str:
        """A short file name that a person recognises; its last part is a digest of every field."""
        words = re.sub(r"[^a-z0-9]+", "-", _NOISE.sub(" ", self.cpu_model).lower()).strip("-")
        model = words[:_LONGEST_MODEL].strip("-") or "unknown-cpu"
        canonical = json.dumps(self._told, sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256(canonical.encode()).hexdigest()[:_HASH_DIGITS]
        threads = f"{self.instances}x{self.threads}t" if self.instances > 1 else f"{self.threads}t"
        nodes = f"-node{'-'.join(map(str, self.nodes))}" if self.nodes else ""
        return f"{model}-{self.physical_cores}c-{threads}{nodes}-{self._level}-{digest}"

    @property
    def _told(self) -> dict[str, object]:
        """The fields but for those that are as they are on a machine of one node: its slug is older than them."""
        values = asdict(self)
        return {field.name: values[field.name] for field in fields(self) if values[field.name] != field.default}

    @property
    def _level(self) -> str:
        return next((name for flag, name in _LEVELS if flag in self.isa), "x86")


# oneDNN names what it may use, after flags, permission and caps: "... and Intel AMX with bfloat16, float16 and
# 8-bit integer support" (isa_info_t::get_name, cpu_isa_traits.cpp).
_AMX = re.compile(r"\bIntel AMX\b")


_AMX_FP16 = re.compile(r"\bIntel AMX with .*\bfloat16\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class OneDnn:
    """One copy of oneDNN, by the library that carries it, and what its header says; empty: it does not say."""

    library: str
    version: str
    isa: str

    @property
    def amx(self) -> bool | None:
        """Whether the header names AMX; None if it names nothing."""
        return _AMX.search(self.isa) is not None if self.isa else None

    @property
    def amx_fp16(self) -> bool:
        """Whether the header names AMX with float16."""
        return _AMX_FP16.search(self.isa) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One matrix product: oneDNN's implementations, none if another library multiplied; or why it did not run."""

    library: str
    dtype: str
    implementations: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What the products showed; `failure` is what became of the process if they ended it.

    `amx_busy_cycles` is perf's `exe.amx_busy` over all products, None with a reason where it cannot be read.
    """

    copies: tuple[OneDnn, ...] = ()
    products: tuple[Product, ...] = ()
    amx_busy_cycles: int | None = None
    amx_busy_reason: str = ""
    failure: str = ""

    def of_dtype(self, dtype: str) -> tuple[Product, ...]:
        """The products of `bf16` or `int8` that ran."""
        return tuple(product for product in self.products if product.dtype == dtype and not product.error)

    def copy_of(self, library: str) -> OneDnn | None:
        """The library's copy of oneDNN; None if it printed no header."""
        return next((copy for copy in self.copies if copy.library == library), None)

    def used_amx(self, product: Product) -> bool | None:
        """Whether the product ran on AMX; None if the kernel's name does not tell and its copy may have AMX."""
        isas = {isa_of(name) for name in product.implementations}
        if isas == {Isa.AMX}:
            return True
        copy = self.copy_of(product.library)
        may = Isa.UNKNOWN in isas and (copy is None or copy.amx is not False)
        return None if may else False


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """Versions by distribution; None where it is not installed."""

    python: str
    torch: str | None = None
    torchvision: str | None = None
    transformers: str | None = None
    torchao: str | None = None
    ipex: str | None = None
    openvino: str | None = None
    nncf: str | None = None
    numpy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """Whether the kernel let the probe's process use the AMX tile registers, and if not why."""

    granted: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StackAnswers:
    """One stack's own view of the machine. None: this stack has no answer. Empty error: no error.

    `trial` is None where nothing was multiplied: without torch, and in a worker, which only answers.
    """

    versions: Versions
    torch_import_error: str
    ipex_import_error: str
    amx_tile: bool | None
    amx_fp16: bool | None
    aten_capability: str | None
    ipex_isa: str | None
    ipex_onednn_isa: str | None
    threads: int | None
    openmp_runtimes: tuple[str, ...]
    allocator: str
    amx_permission: Permission
    trial: Trial | None = None
    openvino_import_error: str = ""

    @property
    def has_ipex(self) -> bool:
        """Whether ipex is installed and imports."""
        return self.versions.ipex is not None and not self.ipex_import_error

    def import_error(self, library: str) -> str:
        """Why torch or a backend's library, as ``Versions`` calls it, does not import; empty if it does or is not."""
        error: str = getattr(self, f"{library}_import_error")
        return error

    def levels(self, library: str) -> tuple[tuple[str, str | None], ...]:
        """The instruction sets that the library says it works at, each with whose it is; ipex alone says so."""
        return (("kernels", self.ipex_isa), ("its oneDNN", self.ipex_onednn_isa)) if library == "ipex" else ()


def stack_answers(fields: dict[str, Any]) -> StackAnswers:
    """The probe's answers as a record; raises KeyError or TypeError if they are not whole."""
    return StackAnswers(
        **{
            **fields,
            "versions": Versions(**fields["versions"]),
            "openmp_runtimes": tuple(fields["openmp_runtimes"]),
            "amx_permission": Permission(**fields["amx_permission"]),
        }
    )
