"""BERT base, uncased."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from perfsuite.errors import AssetError
from perfsuite.models.ask import Sources
from perfsuite.models.base import Sentences, Weights, Yields

if TYPE_CHECKING:
    import torch

HUB_NAME = "google-bert/bert-base-uncased"


class BertBase(Sentences):
    """Devlin et al. 2018: 12 layers, 768 hidden, 110 M parameters."""

    name = "bert-base"
    yields = Yields.TOKENS
    imports = ("transformers.models.bert.modeling_bert",)

    def build(self, sources: Sources) -> torch.nn.Module:
        from transformers import BertConfig

        from perfsuite.models.bert import LastHiddenState

        return LastHiddenState(BertConfig())

    def weights(self, sources: Sources) -> Weights:
        from transformers import BertModel

        from perfsuite.models.bert import with_prefix

        try:
            bert = BertModel.from_pretrained(HUB_NAME, local_files_only=not _hub_resolves())
        except (OSError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise AssetError(f"{HUB_NAME}: {reason}") from error
        return Weights(state=with_prefix(bert.state_dict(), self.build(sources)), origin=HUB_NAME)


def _hub_resolves() -> bool:
    """Whether the model hub has an address here: its client retries for 20 s where it has none."""
    from huggingface_hub import constants

    host = urlsplit(constants.ENDPOINT).hostname
    try:
        socket.getaddrinfo(host, 443)
    except OSError:
        return False
    return True
