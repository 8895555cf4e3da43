"""The aims of "What it must reach": harder than the gate, each a fixed number or a distance from what real rows reach.

They are printed like the gate and decide nothing: a missed aim says how far there is to go.
"""

from collections.abc import Iterator, Mapping

from benchmarks.gate import NAMES, TREES, Line, Summary, written

NEAR_FLOOR, MAX_DCR, NEAR_REAL, KEPT = 0.015, 0.510, 0.012, 0.999
BY_FLOOR = ("adult", "bank", "diamonds")
FIXED_C2ST = {"default": 0.53, "flights": 0.70}
LARGE = ("adult", "bank", "default", "diamonds")
FIGURE = "c2st_hgb_test"


def aims(table: str, summaries: Mapping[str, Summary]) -> list[Line]:
    """Every aim for one table."""
    ours, floor = summaries.get("anew"), summaries.get("floor")
    if not ours or not floor:
        return []
    peers = {name: summary for name, summary in summaries.items() if name in NAMES and summary}
    return [
        *_fidelity(table, ours, floor, peers),
        *_copying(table, ours, floor),
        *_utility(table, ours, peers),
        *_structure(table, ours),
    ]


def _line(table: str, what: str, ours: Summary, figure: str, bar: float, rule: str, *, more: bool = False) -> Line:
    mean = ours[figure].mean
    return Line(table, what, written(ours[figure]), rule, mean >= bar if more else mean <= bar)


def _fidelity(table: str, ours: Summary, floor: Summary, peers: Mapping[str, Summary]) -> Iterator[Line]:
    if table in BY_FLOOR:
        bar = floor[FIGURE].mean + NEAR_FLOOR
        yield _line(table, "C2ST-HGB near the floor", ours, FIGURE, bar, f"≤ {written(floor[FIGURE])} + {NEAR_FLOOR}")
    elif table in FIXED_C2ST:
        yield _line(table, "C2ST-HGB", ours, FIGURE, FIXED_C2ST[table], f"≤ {FIXED_C2ST[table]}")
    elif TREES in peers:
        bar = peers[TREES][FIGURE].mean
        yield _line(table, "C2ST-HGB no worse than the trees", ours, FIGURE, bar, f"≤ {written(peers[TREES][FIGURE])}")


def _copying(table: str, ours: Summary, floor: Summary) -> Iterator[Line]:
    if table in LARGE:
        yield _line(table, "DCR share", ours, "dcr_share", MAX_DCR, f"≤ {MAX_DCR}")
    elif table == "cancer":
        bar = floor["dcr_share"].mean + (floor["dcr_share"].half or 0.0)
        yield _line(table, "DCR share of fresh rows", ours, "dcr_share", bar, f"≤ {bar:.4f}")
    if "verbatim" in ours and "verbatim_test" in ours:
        bar = ours["verbatim_test"].mean
        yield _line(table, "verbatim values of continuous columns", ours, "verbatim", bar, f"≤ {bar:.4f} (fresh rows)")


def _utility(table: str, ours: Summary, peers: Mapping[str, Summary]) -> Iterator[Line]:
    if table in LARGE:
        bar = ours["trtr"].mean - NEAR_REAL
        yield _line(table, "TSTR", ours, "tstr", bar, f"≥ {ours['trtr'].mean:.4f} - {NEAR_REAL} (TRTR)", more=True)
    elif table == "flights" and peers:
        best = max(peers, key=lambda name: peers[name]["tstr"].mean)
        rule = f"≥ {written(peers[best]['tstr'])} ({NAMES[best]})"
        yield _line(table, "TSTR above the best peer", ours, "tstr", peers[best]["tstr"].mean, rule, more=True)


def _structure(table: str, ours: Summary) -> Iterator[Line]:
    if "dependencies_mean" in ours:
        real = ours["dependencies_mean_test"].mean if "dependencies_mean_test" in ours else 1.0
        rule = f"≥ {KEPT} (fresh rows {real:.5f})"
        yield _line(table, "dependencies kept, mean", ours, "dependencies_mean", KEPT, rule, more=True)
    if ours.get("missing_tvd_test") and ours["missing_tvd_test"].mean > 0:
        bar = 1.5 * ours["missing_tvd_test"].mean
        rule = f"≤ 1.5 x {ours['missing_tvd_test'].mean:.4f} (fresh rows)"
        yield _line(table, "pattern of missing cells, TVD", ours, "missing_tvd", bar, rule)
