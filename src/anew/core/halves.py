"""Matrix products and convolutions in bfloat16 where the device has instructions for it: twice as fast, else as is."""

from __future__ import annotations

import torch


def halves(device: str, wanted: bool = True) -> torch.autocast:
    """A context in which they are; without those instructions, or when it is not wanted, nothing changes."""
    fast = torch.cpu.get_capabilities().get("avx512_bf16", False) if device == "cpu" else device == "cuda"
    return torch.autocast(device, torch.bfloat16, enabled=bool(fast) and wanted)
