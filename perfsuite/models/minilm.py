"""all-MiniLM-L6-v2: the model whose published weights come in a package."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from perfsuite.errors import AssetError
from perfsuite.models.ask import Sources
from perfsuite.models.base import Sentences, Weights, Yields

if TYPE_CHECKING:
    import torch

#: sha256 of model.safetensors as sentence-transformers published it.
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


class MiniLM(Sentences):
    """Wang et al. 2020: a BERT of 6 layers and 384 hidden, tuned for sentence embeddings."""

    name = "minilm"
    yields = Yields.TOKENS
    imports = ("transformers.models.bert.modeling_bert",)

    def build(self, sources: Sources) -> torch.nn.Module:
        from transformers import BertConfig

        from perfsuite.models.bert import LastHiddenState

        config = json.loads((sources.minilm / "config.json").read_text())
        return LastHiddenState(BertConfig(**config))

    def weights(self, sources: Sources) -> Weights:
        from safetensors.torch import load

        from perfsuite.models.bert import with_prefix

        raw = (sources.minilm / "model.safetensors").read_bytes()
        found = hashlib.sha256(raw).hexdigest()
        if found != WEIGHTS_SHA256:
            raise AssetError(f"{sources.minilm / 'model.safetensors'}: sha256 {found}, not {WEIGHTS_SHA256}")
        return Weights(
            state=with_prefix(load(raw), self.build(sources)),
            origin="sentence-transformers/all-MiniLM-L6-v2",
        )
