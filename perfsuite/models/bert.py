"""What the models of the BERT family share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from transformers import BertConfig


class LastHiddenState(torch.nn.Module):
    """BertModel without its pooler, returning one tensor: (batch, tokens, hidden)."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        from transformers import BertModel

        self.bert: Any = BertModel(config, add_pooling_layer=False)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        hidden: torch.Tensor = self.bert(input_ids=input_ids, attention_mask=attention_mask)[0]
        return hidden


def with_prefix(state: dict[str, torch.Tensor], module: torch.nn.Module) -> dict[str, torch.Tensor]:
    """``state`` of a bare BertModel under the names of ``LastHiddenState``, the pooler left out."""
    wanted = module.state_dict().keys()
    renamed = {f"bert.{name}": tensor for name, tensor in state.items()}
    return {name: tensor for name, tensor in renamed.items() if name in wanted}
