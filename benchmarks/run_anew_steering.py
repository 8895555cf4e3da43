"""Run one part of the steering benchmark with anew as a whole process, by the public interface.

usage: python -m benchmarks.run_anew_steering --part PART --way WAY --data DIR --set NAME --seed S --seconds T --out DIR
Ways: inpainting `masks`; style `unpaired` (pictures and their style: restyle) and `paired` (p(target | source, style));
text `caption` and its rival `class`; latent `elbo` and `diffusion`. Leaves OUT/made.npz and OUT/cost.jsonl. `--clock
cpu` counts T x 2 CPU seconds in place of T seconds of the clock, for work on a machine that others use.
"""

import argparse
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.picture_sets import load
from benchmarks.process import cpu_seconds
from benchmarks.run_anew import option
from benchmarks.run_anew_pictures import THREADS, columns, count_cpu_seconds
from benchmarks.steering_masks import masks
from benchmarks.steering_output import leave
from benchmarks.steering_sets import DIRECTIONS, STYLES, captioned, held_pictures, pairs, some, styled

Array = np.ndarray[Any, Any]
GUIDANCE, STEPS = (1.0, 3.0, 5.0, 7.0), (4, 16)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--part", choices=sorted({part for part, _ in WAYS}), required=True)
    add("--way", required=True)
    add("--data", type=Path, required=True)
    add("--set", required=True)
    add("--out", type=Path, required=True)
    add("--seed", type=int, default=0)
    add("--seconds", type=float, default=300.0)
    add("--clock", choices=("wall", "cpu"), default="wall")
    add("--option", type=option, action="append", default=[])
    add("--pictures", type=int, help="held-out pictures, prompts or emoji asked (default: all)")
    add("--draws", type=int, default=8, help="of each half picture")
    add("--side", type=int, help="reduce emoji and icons to so many pixels")
    return parser.parse_args()


class Run:
    """What was asked for, and what it costs."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.given, self.cost = given, dict[str, Any](part=given.part, way=given.way, set=given.set, seed=given.seed)
        self.cost |= {"options": dict(given.option), "clock": given.clock, "seconds": given.seconds, "draws": {}}

    def fit(self, frame: dict[str, Any], **how: Any) -> Any:
        """A model of the frame within the budget; what `--option` says wins."""
        import anew

        if self.given.clock == "cpu":
            count_cpu_seconds()
        clock, cpu = time.perf_counter(), cpu_seconds()
        how = {"time": self.given.seconds, "seed": self.given.seed} | how | dict(self.given.option)
        model = anew.fit(frame, **how)
        self.cost |= {"fit_s": time.perf_counter() - clock, "fit_cpu_s": cpu_seconds() - cpu}
        self.cost |= {"steps": max((f.steps or 0 for f in model.plan.create), default=0), "threads": THREADS}
        print(model.plan, self.cost, flush=True)
        return model

    def timed(self, name: str, work: Callable[[], Any]) -> Any:
        """The result of some work, its CPU seconds noted."""
        cpu = time.process_time()
        found = work()
        self.cost["draws"][name] = time.process_time() - cpu
        print(name, self.cost["draws"][name], flush=True)
        return found


def pictures_of(frame: Any, name: str) -> Array:
    """A column of a frame -> (n, H, W, C)"""
    made = np.stack([np.asarray(picture) for picture in frame[name]])
    return made[..., None] if made.ndim == 3 else made


# ------------------------------------------------------------ inpainting


def inpainting(run: Run) -> dict[str, Array]:
    """Draws of each held-out picture under each mask, by completion and by overwriting.  (draws, masks, n, H, W, C)"""
    from benchmarks.overwriting import overwritten

    given = run.given
    model = run.fit(columns(load(given.data, given.set).train))
    held = held_pictures(given.data, given.set, given.pictures)
    hidden = masks(*held.shape[1:3])
    whole = np.tile(held, (len(hidden), 1, 1, 1))
    where = np.repeat(hidden, len(held), axis=0)  # (masks n, H, W)
    shape = (given.draws, len(hidden), *held.shape)

    def completed() -> Array:
        many = {"draws": given.draws, "seed": given.seed, "masks": where}
        tables = model.complete(columns(whole), **many)
        tables = tables if given.draws > 1 else [tables]
        return np.stack([pictures_of(table, "image") for table in tables])

    def pasted() -> Array:
        n = given.draws * len(whole)
        drawn = pictures_of(model.sample(n, seed=given.seed), "image").reshape(given.draws, *whole.shape)
        return np.where(where[None, ..., None], drawn, whole[None])

    def replaced() -> Array:
        drawn = [overwritten(model, whole, where, seed=given.seed + i) for i in range(given.draws)]
        return np.where(where[None, ..., None], np.stack(drawn), whole[None])

    ways = {"anew": completed, "overwriting each step": replaced, "overwriting at the end": pasted}
    return {name: run.timed(name, way).reshape(shape) for name, way in ways.items()}


# ------------------------------------------------------------ styles


def unpaired(run: Run) -> dict[str, Array]:
    """Pictures with their style, nothing said of which belong together; then restyle."""
    given = run.given
    emoji = styled(given.data, given.side, given.pictures)
    image = np.concatenate([emoji.pictures[style][emoji.train] for style in STYLES])
    frame = columns(image) | {"style": np.repeat(STYLES, len(emoji.train)).tolist()}
    model = run.fit(frame, learn="image", given="style")
    made = {}
    for a, b in DIRECTIONS:
        source = columns(emoji.pictures[a][emoji.test]) | {"style": [a] * len(emoji.test)}
        made[f"{a}>{b}"] = run.timed(
            f"{a}>{b}", lambda rows=source, to=b: pictures_of(model.restyle(rows, where={"style": to}), "image")
        )
    return made


def paired(run: Run) -> dict[str, Array]:
    """p(picture in the target style | picture in another style, target style); one draw of each."""
    given = run.given
    emoji = styled(given.data, given.side, given.pictures)

    def part(rows: Array, directions: Any) -> dict[str, Any]:
        source = np.concatenate([emoji.pictures[a][rows] for a, _ in directions])
        return {"source": list(source), "style": [b for _, b in directions for _ in rows]}

    target = np.concatenate([emoji.pictures[b][emoji.train] for _, b in DIRECTIONS])
    model = run.fit({"target": list(target)} | part(emoji.train, DIRECTIONS), learn="target", given=["source", "style"])
    made = {}
    for a, b in DIRECTIONS:
        asked = part(emoji.test, [(a, b)])
        made[f"{a}>{b}"] = run.timed(
            f"{a}>{b}", lambda rows=asked: pictures_of(model.sample(given=rows, seed=given.seed), "target")
        )
    return made


# ------------------------------------------------------------ words


def text(run: Run) -> dict[str, Array]:
    """Pictures from captions never seen, at each guidance and number of steps; the rival knows their class alone."""
    given = run.given
    pairs_of = captioned(given.data, given.set, given.side)
    asked = some(pairs_of.test, given.pictures)
    names = ["label" if given.way == "class" else "caption", *(["style"] if any(pairs_of.styles) else [])]
    frame = columns(pairs_of.pictures[pairs_of.train]) | pairs_of.columns(pairs_of.train, *names)
    model = run.fit(frame, learn="image", given=names)
    rows: dict[str, Any] = pairs_of.columns(asked, *names)
    if "caption" in rows:  # a caption of which nothing is known is refused: it is left open, and counts as it falls
        seen = Counter(word for row in pairs_of.train for word in set(words_of(pairs_of.words[row])))
        known = {word for word, count in seen.items() if count > 1}
        rows["caption"] = [words if known & set(words_of(words)) else None for words in rows["caption"]]
        run.cost["unknown"] = rows["caption"].count(None)
    made = {}
    for steps in STEPS:
        for guidance in GUIDANCE:
            how = {"steps": steps, "guidance": guidance, "seed": given.seed}
            name = f"steps {steps} guidance {guidance:g}"
            made[name] = run.timed(name, lambda h=how: pictures_of(model.sample(given=rows, **h), "image"))
    return made


def words_of(caption: str) -> list[str]:
    """Runs of letters and digits, as anew reads them."""
    return re.findall(r"[^\W_]+", caption.lower())


# ------------------------------------------------------------ latent codes


def latent(run: Run) -> dict[str, Array]:
    """Pictures there and back, midpoints of pairs, and draws."""
    given = run.given
    model = run.fit(columns(load(given.data, given.set).train), objective=given.way)
    held = held_pictures(given.data, given.set, given.pictures)
    a, b = pairs(given.data, given.set, len(held))

    def back() -> Array:
        codes = model.encode(columns(held))
        run.cost["latents"] = codes.shape[1]
        return pictures_of(model.decode(codes), "image")

    def middle() -> Array:
        way = model.interpolate(columns(a), columns(b), steps=3)
        return pictures_of(way, "image")[1::3]

    def drawn() -> Array:
        return pictures_of(model.sample(load(given.data, given.set).drawn, seed=given.seed), "image")

    work = {"reconstruction": back, "midpoints": middle, "samples": drawn}
    return {name: run.timed(name, way) for name, way in work.items()}


WAYS: dict[tuple[str, str], Callable[[Run], dict[str, Array]]] = {
    ("inpainting", "masks"): inpainting,
    ("style", "unpaired"): unpaired,
    ("style", "paired"): paired,
    ("text", "caption"): text,
    ("text", "class"): text,
    ("latent", "elbo"): latent,
    ("latent", "diffusion"): latent,
}


def ways_of(part: str) -> Iterator[str]:
    """The ways of one part."""
    return (way for whose, way in WAYS if whose == part)


def main() -> None:
    """Fit, draw, write, record."""
    run = Run(arguments())
    made = WAYS[run.given.part, run.given.way](run)
    leave(run.given.out, made, run.cost)


if __name__ == "__main__":
    main()
