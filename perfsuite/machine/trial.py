"""What small matrix products in the stack showed: each copy of oneDNN, and the kernels it chose."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from perfsuite.evidence.isa import Isa, isa_of
from perfsuite.evidence.onednn import parse

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


def read_trial(answer: Mapping[str, Any]) -> Trial:
    """The probe's trial as a record; raises KeyError or TypeError if it is not whole."""
    lines: dict[str, list[str]] = {}
    for said in answer["products"]:
        lines.setdefault(said["library"], []).extend(said["lines"])
    # A copy prints its header once, before its first line.
    headers = {library: parse(printed).headers[:1] for library, printed in lines.items()}
    return Trial(
        copies=tuple(
            OneDnn(library=library, version=header.version, isa=header.isa)
            for library, first in headers.items()
            for header in first
        ),
        products=tuple(
            Product(
                library=said["library"],
                dtype=said["dtype"],
                implementations=_implementations(said["lines"]),
                error=said["error"],
            )
            for said in answer["products"]
        ),
        amx_busy_cycles=answer["amx_busy"]["cycles"],
        amx_busy_reason=answer["amx_busy"]["reason"],
    )


def _implementations(lines: list[str]) -> tuple[str, ...]:
    """What multiplied: reorders have no multiply-accumulates; a kernel without a name goes by its kind."""
    multiplied = (one for one in parse(lines).primitives if one.macs != 0)
    return tuple(dict.fromkeys(one.implementation or one.kind for one in multiplied))
