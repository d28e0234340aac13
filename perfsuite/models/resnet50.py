"""ResNet50 as torchvision builds it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.error import URLError

from perfsuite.errors import AssetError
from perfsuite.models.ask import Sources
from perfsuite.models.base import Images, Weights, Yields

if TYPE_CHECKING:
    import torch


class ResNet50(Images):
    """He et al. 2015, with torchvision's IMAGENET1K_V2 weights where they can be had."""

    name = "resnet50"
    yields = Yields.LOGITS
    imports = ("torchvision.models",)

    def build(self, sources: Sources) -> torch.nn.Module:
        from torchvision.models import resnet50

        module: torch.nn.Module = resnet50()
        return module

    def weights(self, sources: Sources) -> Weights:
        from torchvision.models import ResNet50_Weights

        published = ResNet50_Weights.IMAGENET1K_V2
        try:
            state = published.get_state_dict(progress=False, check_hash=True)
        except (URLError, OSError) as error:
            raise AssetError(f"{published}: {error}") from error
        return Weights(state=dict(state), origin=f"torchvision {published}")

    def adjust_seeded(self, module: torch.nn.Module) -> None:
        """Damp each residual branch, as training does.

        At unit gain every block adds as much variance as it is given, and rounding noise grows
        with it: BF16 keeps 20 dB. At a quarter it keeps 39 dB, like trained networks.
        """
        from torchvision.models.resnet import Bottleneck

        for block in module.modules():
            if isinstance(block, Bottleneck):
                block.bn3.weight.fill_(0.25)
