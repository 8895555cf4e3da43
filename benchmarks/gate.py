"""The gate: each criterion of "What it must reach", ours against the two peers it names, one line with both numbers.

Every criterion compares means over the seeds. An interval that crosses the bar is shown, never used to excuse a mean.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from benchmarks.interval import Interval

Summary = Mapping[str, Interval]

TREES, NETWORK = "cart_smooth20", "mostly"
NAMES = {TREES: "cart_smooth20", NETWORK: "TabularARGN"}
TOLERANCE = 0.01
NEAR_FLOOR = 0.015
GATED = ("adult", "bank", "default", "diamonds", "cancer", "flights")
MAX_FIT_RATIO = 6.0
MIN_ROWS_PER_SECOND = 400_000
MAX_QUICK_RATIO = 2.0  # the whole process with the shortest time, beside plain CART's
MAX_MEMORY_RATIO = 2.0
FREE_MEMORY_MB = 1000.0

# figure, what turns it into a fraction, +1 where more is better
COMPARED = (
    ("shape_err", 0.01, -1),
    ("trend_err_all", 0.01, -1),
    ("tstr", 1.0, 1),
    ("alpha_prec", 1.0, 1),
    ("cat_coverage", 1.0, 1),
    ("invalid_share", 1.0, -1),
    ("missing_rate_gap", 1.0, -1),
)


@dataclass(frozen=True)
class Line:
    """One criterion on one table: what we reached, what was asked, and whether that is enough."""

    table: str
    criterion: str
    ours: str
    bar: str
    passed: bool

    def markdown(self) -> str:
        """A row of the gate's table."""
        return (
            f"| {self.table} | {self.criterion} | {self.ours} | {self.bar} | {'pass' if self.passed else '**FAIL**'} |"
        )


def written(interval: Interval, scale: float = 1.0, digits: int = 4) -> str:
    """0.5061 ± 0.0040"""
    half = "" if interval.half is None else f" ± {interval.half * scale:.{digits}f}"
    return f"{interval.mean * scale:.{digits}f}{half}"


def fidelity(table: str, ours: Summary, peers: Mapping[str, Summary], floor: Summary | None) -> Iterator[Line]:
    """C2ST-HGB: lower than each peer; where the trees are already at the floor, not higher by more than 0.01."""
    figure = "c2st_hgb_test"
    trees = peers.get(TREES)
    at_floor = trees is not None and floor is not None and trees[figure].mean - floor[figure].mean <= NEAR_FLOOR
    lenient = table == "cancer" or at_floor
    for name, peer in peers.items():
        bar = peer[figure].mean + (TOLERANCE if lenient else 0.0)
        passed = ours[figure].mean <= bar if lenient else ours[figure].mean < bar
        rule = f"≤ {written(peer[figure])} + {TOLERANCE}" if lenient else f"< {written(peer[figure])}"
        yield Line(table, f"C2ST-HGB against {NAMES[name]}", written(ours[figure]), rule, passed)


def copying(table: str, ours: Summary, peers: Mapping[str, Summary]) -> Iterator[Line]:
    """DCR share lower than the trees' (cancer: not higher); copied rows within the bound of the natural rate."""
    if TREES in peers:
        mine, theirs = ours["dcr_share"], peers[TREES]["dcr_share"]
        equal_will_do = table == "cancer"
        passed = mine.mean <= theirs.mean if equal_will_do else mine.mean < theirs.mean
        rule = f"{'≤' if equal_will_do else '<'} {written(theirs)}"
        yield Line(table, f"DCR share against {NAMES[TREES]}", written(mine), rule, passed)
    copied, bound = ours["dup_train"], ours["dup_bound"].mean
    natural = ours["dup_test_in_train"].mean
    rule = f"≤ {bound:.5f} (natural {natural:.5f})"
    yield Line(table, "copied rows", written(copied, digits=5), rule, copied.mean <= bound)


def the_rest(table: str, ours: Summary, peers: Mapping[str, Summary]) -> Iterator[Line]:
    """Within 0.01 of the better of the peers, errors in per cent taken as fractions."""
    for figure, scale, direction in COMPARED:
        theirs = {name: peer[figure] for name, peer in peers.items() if figure in peer}
        if not theirs:
            continue  # no missing numbers in this table: nothing to compare
        best = max(theirs, key=lambda name: direction * theirs[name].mean)
        sign, bound = ("≥", "-") if direction > 0 else ("≤", "+")
        rule = f"{sign} {written(theirs[best], scale)} {bound} {TOLERANCE} ({NAMES[best]})"
        if figure not in ours:
            yield Line(table, figure, "none", rule, False)
            continue
        behind = direction * (theirs[best].mean - ours[figure].mean) * scale
        yield Line(table, figure, written(ours[figure], scale), rule, behind <= TOLERANCE)


def quality(table: str, summaries: Mapping[str, Summary]) -> list[Line]:
    """Every line of the gate for one table; a table that ours did not finish fails in one line."""
    ours = summaries.get("anew")
    if not ours:
        return [Line(table, "a finished run", "none", "one for each seed", False)]
    peers = {name: summaries[name] for name in (TREES, NETWORK) if summaries.get(name)}
    missing = [NAMES[name] for name in (TREES, NETWORK) if name not in peers]
    absent = [Line(table, f"{name} to compare with", "none", "a finished run", False) for name in missing]
    floor = summaries.get("floor")
    return [*absent, *fidelity(table, ours, peers, floor), *copying(table, ours, peers), *the_rest(table, ours, peers)]


def cost(ours: Summary, cart: Summary) -> list[Line]:
    """Time, speed and memory on adult, beside the plain sequential CART that ran just before."""
    lines = []
    for figure, words in (("wall_s", "whole process, seconds"), ("cpu_s", "whole process, CPU seconds")):
        ratio = ours[figure].mean / cart[figure].mean
        bar = f"≤ {MAX_FIT_RATIO:.0f} x {written(cart[figure], digits=2)}"
        measured = f"{written(ours[figure], digits=2)} ({ratio:.2f} x)"
        lines.append(Line("adult", f"{words}, against cart", measured, bar, ratio <= MAX_FIT_RATIO))
    if "speed_rows_per_s" in ours:
        speed = ours["speed_rows_per_s"]
        passed = speed.mean >= MIN_ROWS_PER_SECOND
        # the clock decides; the CPU second tells a slow sampler from a busy machine
        measured = f"{speed.mean:,.0f} ({ours['speed_rows_per_cpu_s'].mean:,.0f} a CPU second)"
        lines.append(Line("adult", "sampled rows a second", measured, f"≥ {MIN_ROWS_PER_SECOND:,}", passed))
    memory, theirs = ours["peak_mb"], cart["peak_mb"]
    bar_mb = max(MAX_MEMORY_RATIO * theirs.mean, FREE_MEMORY_MB)
    bar = f"≤ {bar_mb:.0f} MB (cart {theirs.mean:.0f})"
    lines.append(Line("adult", "peak memory", f"{memory.mean:.0f} MB", bar, memory.mean <= bar_mb))
    return lines
