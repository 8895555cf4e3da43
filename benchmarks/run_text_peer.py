"""Train one rival of language on one text for a budget of CPU seconds and score it on others: a whole process.

usage: python -m benchmarks.run_text_peer --peer NAME --train FILE --held FILE... --seconds T --out DIR
The twin of run_anew_text.py. The vocabulary is the characters of the training text, as nanoGPT has it.
"""

import argparse
import json
import os
import time
from pathlib import Path

import numpy as np
import torch

from benchmarks.language import characters, nats_per_character
from benchmarks.process import cpu_seconds
from benchmarks.text_peers import PEERS

THREADS = 2  # of the budget


def main() -> None:
    """Train, score, record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--peer", choices=PEERS, required=True)
    add("--train", type=Path, required=True)
    add("--held", type=Path, nargs="+", required=True)
    add("--out", type=Path, required=True)
    add("--seed", type=int, default=0)
    add("--seconds", type=float, default=300.0)
    given = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", THREADS)))
    torch.manual_seed(given.seed)
    train, texts = characters(given.train), [characters(file) for file in given.held]
    letters = np.unique(train)
    unknown = set(np.concatenate(texts).tolist()) - set(letters.tolist())
    if unknown:
        raise SystemExit(f"held-out characters that the training text does not have: {sorted(unknown)}")
    code = np.zeros(256, np.int64)
    code[letters] = np.arange(len(letters))
    clock, cpu = time.perf_counter(), cpu_seconds()
    net, steps, scorers = PEERS[given.peer](torch.from_numpy(code[train]), len(letters), given.seconds * THREADS)
    cost = {"fit_s": time.perf_counter() - clock, "fit_cpu_s": cpu_seconds() - cpu, "steps": steps}
    cost |= {"seconds": given.seconds, "threads": torch.get_num_threads()}
    cost["parameters"] = sum(p.numel() for p in net.parameters())
    before, held = int(code[train[-1]]), [code[text] for text in texts]
    whole = np.concatenate([[before], *held])
    found = {"windows": nats_per_character(scorers["windows"], before, held)}
    found["carried"] = -float(scorers["carried"]([whole], 1)[0]) / (len(whole) - 1)
    record = cost | {"nats": {given.peer: found}}
    given.out.mkdir(parents=True, exist_ok=True)
    with (given.out / "cost.jsonl").open("a") as file:
        file.write(json.dumps(record) + "\n")
    print(json.dumps(record), flush=True)


if __name__ == "__main__":
    main()
