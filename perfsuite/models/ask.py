"""What a model is asked for: inputs of one shape and role, made of real data where it wants some."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from perfsuite.spec import Shape


class Role(StrEnum):
    """What inputs are for."""

    MEASURED = "measured"
    CALIBRATION = "calibration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Folders of real data that perfsuite fetched; see ``perfsuite.measure.packages``."""

    photographs: Path
    minilm: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What inputs a model is to make: ``count`` batches of one shape, other ones for each role."""

    role: Role
    shape: Shape
    count: int

    @property
    def seed(self) -> int:
        """For who draws inputs at random: another for each role and shape, the same for ever."""
        shape = self.shape
        return zlib.crc32(f"{self.role} {shape.batch} {shape.pixels} {shape.tokens}".encode())
