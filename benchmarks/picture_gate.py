"""The gate of pictures: each criterion of issue 4 on one set, one line with both numbers, judged on means over seeds.

A summary's key is a generator and its number of sampling steps: `anew 4`, `ddp 50`, `fm 32`.
"""

from collections.abc import Iterator, Mapping

from benchmarks.copies import natural_bound
from benchmarks.gate import Line, Summary, written
from benchmarks.interval import Interval

RIVALS = ("pythae", "torchgan", "ddp", "diffusers")
TIMES_BETTER, OF_CEILING = 2.0, 1.5
SPEED = {"fashion_mnist": 100.0, "pneumonia_mnist": 100.0}  # pictures a second at 28 px in 4 steps
FEW, MANY, GUIDED = "anew 4", "anew 32", "anew 4 guided"
OBEYED = {"fashion_mnist": 0.95, "sign_digits": 0.95}  # of the judge's accuracy on real pictures


def distances(found: Mapping[str, Summary], *generators: str) -> dict[str, Interval]:
    """Frechet distances of all rows of these generators."""
    return {name: row["fd"] for name, row in found.items() if row and name.split()[0] in generators}


def best(rows: Mapping[str, Interval]) -> str | None:
    """The row with the lowest mean."""
    return min(rows, key=lambda name: rows[name].mean) if rows else None


def clearly_better(name: str, found: Mapping[str, Summary]) -> Iterator[Line]:
    """Half the best rival's distance, or near the ceiling; by the many steps of the checkpoint that is judged below."""
    rivals, ours = distances(found, *RIVALS), found[MANY]["fd"]
    first, ceiling = best(rivals), found["ceiling"]["fd"]
    missing = [rival for rival in RIVALS if not distances(found, rival)]
    near = ours.mean <= OF_CEILING * ceiling.mean
    if first is None or missing:
        yield Line(name, "rivals to compare with", "none of " + ", ".join(missing), "a finished run of each", False)
    if first is not None:
        half = rivals[first].mean / TIMES_BETTER
        bar = f"≤ {half:.2f}, half of {first}, or {OF_CEILING} x ceiling {ceiling.mean:.2f}"
        yield Line(name, "Frechet distance, 32 steps", written(ours, digits=2), bar, near or ours.mean <= half)


def few_steps(name: str, found: Mapping[str, Summary]) -> Iterator[Line]:
    """Four steps of ours against fifty of theirs."""
    theirs = {key: fd for key, fd in distances(found, *RIVALS).items() if key.endswith(" 50")}
    first, ours = best(theirs), found[FEW]["fd"]
    if first is not None:
        bar = f"< {written(theirs[first], digits=2)} ({first})"
        yield Line(name, "Frechet distance, 4 steps", written(ours, digits=2), bar, ours.mean < theirs[first].mean)


def plain_flow(name: str, found: Mapping[str, Summary]) -> Iterator[Line]:
    """Many steps no worse than plain flow matching's."""
    theirs, ours = found.get("fm 32"), found[MANY]["fd"]
    if theirs:
        bar = f"≤ {written(theirs['fd'], digits=2)} (fm 32)"
        passed = ours.mean <= theirs["fd"].mean
        yield Line(name, "against plain flow matching, 32 steps", written(ours, digits=2), bar, passed)


def copying(name: str, found: Mapping[str, Summary]) -> Iterator[Line]:
    """No more copies than among fresh real pictures: the upper bound of their rate, since there are few of them."""
    fresh, rows = found["fresh"]["copies"].mean, round(found["fresh"]["n"].mean)
    bound = natural_bound(round(fresh * rows), rows)
    for key in (FEW, MANY):
        rate = found[key]["copies"]
        bar = f"≤ {bound:.4f} (fresh pictures {fresh:.4f})"
        yield Line(name, f"copies, {key.split()[1]} steps", written(rate), bar, rate.mean <= bound)


def speed(name: str, found: Mapping[str, Summary]) -> Iterator[Line]:
    """By the clock, guided draws at half of it; the CPU second tells a slow sampler from a busy machine."""
    for key, share in ((FEW, 1.0), (GUIDED, 0.5)) if name in SPEED else ():
        ours, least = found[key], SPEED[name] * share
        measured = f"{ours['per_s'].mean:.0f} ({ours['per_cpu_s'].mean:.0f} a CPU second)"
        said = f"pictures a second, {key.removeprefix('anew 4').strip() or 'plain'}, 4 steps"
        yield Line(name, said, measured, f"≥ {least:.0f}", ours["per_s"].mean >= least)


def obeying(name: str, found: Mapping[str, Summary]) -> Iterator[Line]:
    """The judge reads the class that was asked for nearly as often as in real pictures: as learned, and guided."""
    for key, said in ((FEW, "plain"), (GUIDED, "guided")) if name in OBEYED else ():
        ours, real = found[key]["obeys"], found["fresh"]["accuracy"]
        bar = f"≥ {OBEYED[name]} x {written(real)}"
        passed = ours.mean >= OBEYED[name] * real.mean
        yield Line(name, f"the class that was asked for is read back, 4 steps, {said}", written(ours), bar, passed)


def quality(name: str, found: Mapping[str, Summary]) -> list[Line]:
    """Every line for one set; a set that ours did not finish fails in one line."""
    if not all(found.get(key) for key in (FEW, MANY, GUIDED)):
        return [Line(name, "a finished run", "none", "one for each seed", False)]
    checks = (clearly_better, few_steps, plain_flow, copying, speed, obeying)
    return [line for check in checks for line in check(name, found)]
