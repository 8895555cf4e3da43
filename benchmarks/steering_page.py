"""The steering benchmark as tables and criteria: what issue 4 asks of inpainting, style, words and latent codes.

Rows are the judges' figures by name: rivals and landmarks as they call them, ours behind the way that made them.
"""

from collections.abc import Iterator, Mapping

from benchmarks.gate import Line
from benchmarks.markdown import Column, grid

Rows = Mapping[str, Mapping[str, float]]

CLASSIC = ("telea", "ns", "biharmonic")
OVERWRITING = ("masks: overwriting each step", "masks: overwriting at the end")
LEAST_STYLE, LEAST_CONTENT, LEAST_TEXT, CHANCE = 0.9, 0.8, 0.6, 0.1
COLUMNS = {
    "inpainting": (
        Column("features", "features, single draw"),
        Column("pixels", "pixels, mean of draws"),
        Column("pixels_single", "pixels, single draw"),
        Column("c2st", "C2ST"),
        Column("diversity", "diversity"),
        Column("changed", "known changed", digits=0),
        Column("draws", "draws", digits=0),
    ),
    "style": (
        Column("distance", "distance in the judge's features"),
        Column("offline", "in offline features"),
        Column("pixels", "pixels"),
        Column("style", "style read %", 100, 1),
        Column("content", "content of 100 %", 100, 1),
    ),
    "text": (Column("retrieval", "right of 10 %", 100, 1), Column("share", "chance to ceiling %", 100, 0)),
    "latent": (
        Column("pixels", "reconstruction, pixels"),
        Column("features", "reconstruction, features"),
        Column("c2st", "C2ST of midpoints"),
        Column("fd", "FD of draws", digits=2),
        Column("latents", "latents", digits=0),
    ),
}
COST = (Column("steps", "steps trained", digits=0), Column("fit_cpu_s", "fit CPU s", digits=0))
TITLES = {
    "telea": "OpenCV, Telea",
    "ns": "OpenCV, Navier-Stokes",
    "biharmonic": "scikit-image, biharmonic",
    "average": "mean training picture",
    "nearest": "nearest training picture (a memory)",
    "masks: anew": "**anew**, completion",
    "masks: overwriting each step": "anew's model, overwriting at each step",
    "masks: overwriting at the end": "anew's model, overwriting at the end",
    "source": "source picture",
    "colours": "colour transfer by channel",
    "truth": "true picture (ceiling)",
    "unpaired: anew": "**anew**, unpaired: restyle",
    "paired: anew": "**anew**, paired",
    "ceiling": "real pictures (ceiling)",
    "wrong": "real pictures of other captions",
    "same": "real training pictures of the right class",
    "blend": "mean of the pixels",
    "real": "real training pictures",
    "pythae: made": "pythae VAE",
    "elbo: made": "**anew**, elbo",
    "diffusion: made": "**anew**, diffusion",
}


def with_shares(part: str, rows: Rows) -> dict[str, dict[str, float]]:
    """For words: how far each row is from chance to the ceiling."""
    found = {name: dict(row) for name, row in rows.items()}
    if part == "text" and "ceiling" in found:
        reach = found["ceiling"]["retrieval"] - CHANCE
        for row in found.values():
            row["share"] = (row["retrieval"] - CHANCE) / reach
    return found


def section(part: str, name: str, rows: Rows) -> list[str]:
    """One set's table."""
    columns = [*COLUMNS[part], *COST]
    lines = [[title(row), *(cell(found, column) for column in columns)] for row, found in rows.items()]
    return [f"## {part}: {name}", "", *grid(["", *(column.heading for column in columns)], lines), ""]


def title(row: str) -> str:
    """`caption: steps 4 guidance 2` -> **anew**, caption: 4 steps, guidance 2"""
    way, _, rest = row.partition(": ")
    if row in TITLES or not rest.startswith("steps"):
        return TITLES.get(row, row)
    _, steps, _, guidance = rest.split()
    return f"{'**anew**, ' if way == 'caption' else 'anew, '}{way}: {steps} steps, guidance {guidance}"


def cell(row: Mapping[str, float], column: Column) -> str:
    """A figure, or a dash where it does not apply."""
    found = row.get(column.figure)
    return "-" if found is None else f"{found * column.scale:,.{column.digits}f}"


# ------------------------------------------------------------ criteria


def less(name: str, what: str, ours: float, others: Mapping[str, float]) -> Line:
    """Ours under the lowest of the others."""
    least = min(others, key=lambda key: others[key])
    return Line(name, what, f"{ours:.4f}", f"< {others[least]:.4f} ({title(least)})", ours < others[least])


def inpainting(name: str, rows: Rows) -> Iterator[Line]:
    """Single draws in features, the mean of the draws in pixels, the known pixels."""
    ours = rows["masks: anew"]
    for figure, what in (("features", "single draws, error in features"), ("pixels", "mean of draws, error in pixels")):
        for others in (CLASSIC, OVERWRITING):
            there = {key: rows[key][figure] for key in others if key in rows}
            if there:
                yield less(name, what, ours[figure], there)
    yield Line(name, "known values changed", f"{ours['changed']:.0f}", "0", ours["changed"] == 0)


def style(name: str, rows: Rows) -> Iterator[Line]:
    """Nearer to the truth than the source and its colours, in the right style, with the content."""
    for way in ("unpaired", "paired"):
        ours = rows.get(f"{way}: anew")
        if ours is None:
            continue
        others = {key: rows[key]["distance"] for key in ("source", "colours")}
        yield less(name, f"{way}: distance in features", ours["distance"], others)
        nearer = [all(ours[key] < rows[other][key] for other in others) for key in ours if key.startswith("distance ")]
        yield Line(name, f"{way}: directions nearer", str(sum(nearer)), str(len(nearer)), all(nearer))
        read = f"{ours['style']:.3f}"
        yield Line(name, f"{way}: style read", read, f"≥ {LEAST_STYLE}", ours["style"] >= LEAST_STYLE)
        bar = LEAST_CONTENT * rows["truth"]["content"]
        rule = f"≥ {bar:.3f}, {LEAST_CONTENT} x truth {rows['truth']['content']:.3f}"
        yield Line(name, f"{way}: content found", f"{ours['content']:.3f}", rule, ours["content"] >= bar)


def text(name: str, rows: Rows) -> Iterator[Line]:
    """The best of a small grid of guidance and steps, and the rival's best of the same grid."""
    best = {
        way: max((row["retrieval"], key) for key, row in rows.items() if key.startswith(f"{way}: "))
        for way in ("caption", "class")
        if any(key.startswith(f"{way}: ") for key in rows)
    }
    if "caption" not in best:
        return
    found, key = best["caption"]
    bar = CHANCE + LEAST_TEXT * (rows["ceiling"]["retrieval"] - CHANCE)
    rule = f"≥ {bar:.3f}, {LEAST_TEXT} of the way to {rows['ceiling']['retrieval']:.3f}"
    yield Line(name, f"right caption of 10 ({key})", f"{found:.3f}", rule, found >= bar)
    same = rows["same"]["retrieval"]
    yield Line(name, "against real pictures of the class", f"{found:.3f}", f"> {same:.3f}", found > same)
    if "class" in best:
        theirs = best["class"][0]
        yield Line(name, "against knowing the class", f"{found:.3f}", f"> {theirs:.3f}", found > theirs)


def latent(name: str, rows: Rows) -> Iterator[Line]:
    """elbo against pythae."""
    ours, theirs = rows.get("elbo: made"), rows.get("pythae: made")
    if ours and theirs:
        what = {"pixels": "reconstruction, pixels", "features": "reconstruction, features", "fd": "FD of draws"}
        for figure, words in what.items():
            yield less(name, f"elbo: {words}", ours[figure], {"pythae: made": theirs[figure]})


CRITERIA = {"inpainting": inpainting, "style": style, "text": text, "latent": latent}
OURS = {"inpainting": "masks: anew", "latent": "elbo: made"}  # without these there is nothing to judge


def criteria(part: str, name: str, rows: Rows) -> list[Line]:
    """The lines of one set; what was not run is no line."""
    return list(CRITERIA[part](name, rows)) if OURS.get(part, "") in ("", *rows) else []
