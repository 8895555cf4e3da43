"""The discriminative side of text: sentiment by every reader, and grades beside people's, on shared data.

    python -m benchmarks.text_predict [--only split,folds,few,grade] [--data ../shared/data/text] [--seconds 60]

split   movie_sentences and customer_reviews on their official test parts: n-grams with logistic regression and with a
        support vector machine, an LSTM and a transformer from scratch (--seconds each), and, where MiniLM is installed,
        n-grams with MiniLM beside them
folds   movie_sentences in ten folds, n-grams with logistic regression
few     64 labels of movie_sentences, the mean of 20 draws, tested on the official part
grade   graded_answers, English and German apart, answers and questions that nobody saw: the recipe beside ridge
        regression on n-grams and the length alone (paired bootstrap), and what is refused

What is run is written beside what earlier runs left in results/text_predict.json. Ends with 1 if a bar is missed.
"""

import argparse
import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import polars as pl

RESULTS = Path(__file__).parent / "results"
SETS = ("movie_sentences", "customer_reviews")
PARTS = ("split", "folds", "few", "grade")
BARS = {"movie_sentences": {"sentences": 0.82}, "customer_reviews": {"linear": 0.855, "sentences": 0.88}}
FOLDS_BAR, FEW_BAR = 0.80, {"sentences": 0.66}
LABELS, DRAWS = 64, 20
KAPPA = {"english": 0.797, "german": 0.786}  # of n-gram ridge, measured elsewhere


def read(data, name):
    frame = pl.read_parquet(data / name / "data.parquet")
    word = pl.when(pl.col("label") == 1).then(pl.lit("good")).otherwise(pl.lit("bad"))
    return frame.select("text", "split", label=word)


def predicted(learn, test, network, objective="cross_entropy", **how):
    """(share read rightly, probabilities, CPU seconds)"""
    import anew

    started = time.process_time()
    model = anew.fit(learn.select("text", "label"), learn="label", objective=objective, network=network, **how)
    chance = np.asarray(model.predict_proba(test.select("text")))
    right = np.array(model.classes)[chance.argmax(1)] == test["label"].to_numpy()
    return right, chance, time.process_time() - started


def scored(right, chance, seconds):
    n, bins = len(right), np.minimum((chance.max(1) * 15).astype(int), 14)
    gap = np.abs(np.bincount(bins, right - chance.max(1), 15)).sum() / n
    half = 1.96 * float(np.sqrt(right.mean() * (1 - right.mean()) / n))
    return {"accuracy": float(right.mean()), "half": half, "calibration error": float(gap), "cpu seconds": seconds}


def ways(seconds):
    from anew.core.minilm import installed

    made = {"linear": {}, "hinge": {"network": "linear", "objective": "hinge"}}
    made |= {name: {"time": seconds} for name in ("recurrent", "transformer")}
    return {**made, **({"sentences": {}} if installed() else {})}


def split(data, seconds):
    found = {}
    for name in SETS:
        frame = read(data, name)
        parts = [frame.filter(split=part) for part in ("train", "test")]
        found[name] = {}
        for way, how in ways(seconds).items():
            found[name][way] = scored(*predicted(*parts, **{"network": way, **how}))
            print(name, way, found[name][way], file=sys.stderr, flush=True)
    return found


def folds(data, seconds):
    frame = read(data, "movie_sentences")
    order = np.random.default_rng(0).permutation(len(frame))
    rights = []
    for part in np.array_split(order, 10):
        right, _, _ = predicted(frame[np.setdiff1d(order, part)], frame[part], "linear")
        rights.append(float(right.mean()))
        print("fold", rights[-1], file=sys.stderr, flush=True)
    return {"accuracy": float(np.mean(rights)), "deviation": float(np.std(rights, ddof=1)), "each": rights}


def few(data, seconds):
    """Sentences are read once, whatever the draw."""
    from anew.core import minilm

    frame = read(data, "movie_sentences")
    train, test = (frame.filter(split=part) for part in ("train", "test"))
    if minilm.installed():
        minilm.layers_of = remembered(minilm.layers_of)
    found = {}
    for way in [name for name in ("linear", "sentences") if name in ways(seconds)]:
        rights = []
        for draw in range(DRAWS):
            rows = np.random.default_rng(draw).choice(len(train), LABELS, replace=False)
            rights.append(float(predicted(train[rows], test, way)[0].mean()))
        found[way] = {"accuracy": float(np.mean(rights)), "deviation": float(np.std(rights, ddof=1))}
        print("few", way, found[way], file=sys.stderr, flush=True)
    return found


def remembered(read_them):
    known = {}

    def once(sentences):
        new = [one for one in sentences if one not in known]
        known.update(zip(new, read_them(new), strict=True))
        return np.stack([known[one] for one in sentences]) if sentences else read_them(sentences)

    return once


def grade(data, seconds):
    import anew.recipes

    frame = pl.read_parquet(data / "graded_answers" / "data.parquet").drop("verdict")
    found = {}
    for language in ("english", "german"):
        own = frame.filter(language=language).drop("language")
        learn = own.filter(split="training").drop("split")
        for part in ("unseen_answers", "unseen_questions"):
            started = time.process_time()
            done = anew.recipes.grade(learn, test=own.filter(split=part).drop("split"))
            figures = {name: done.figures[name] for name in ("agreement", "gained", "refused", "made up")}
            found.setdefault(language, {})[part] = {**figures, "cpu seconds": time.process_time() - started}
            print(language, part, figures, file=sys.stderr, flush=True)
    return found


# ---------------------------------------------------------------- what must hold


def bars(found):
    """(what, figure, bar, whether it holds) of what was run."""
    for name, rows in found.get("split", {}).items():
        for way, bar in BARS[name].items():
            if way in rows:
                yield f"{name}, {way}", rows[way]["accuracy"], f">= {bar}", rows[way]["accuracy"] >= bar
    if "folds" in found:
        value = found["folds"]["accuracy"]
        yield "movie_sentences in ten folds, linear", value, f">= {FOLDS_BAR}", value >= FOLDS_BAR
    for way, bar in FEW_BAR.items():
        if way in found.get("few", {}):
            value = found["few"][way]["accuracy"]
            yield f"{LABELS} labels, {way}", value, f">= {bar}", value >= bar
    for language, parts in found.get("grade", {}).items():
        yield from graded(language, parts["unseen_answers"])


def graded(language, figures):
    value = figures["agreement"]["ours"]["value"]
    yield f"{language}: kappa", value, f"> {KAPPA[language]}", value > KAPPA[language]
    for name, gain in figures["gained"].items():
        yield f"{language}: kappa over {name}", gain["value"], f"> 0 (from {gain['low']:+.3f})", gain["low"] > 0
    refused = figures["refused"]["value"]
    yield f"{language}: real answers refused", refused, "<= 0.03", refused <= 0.03
    for name, share in figures["made up"].items():
        yield f"{language}: {name} refused or lowest", share["value"], ">= 0.95", share["value"] >= 0.95


# ---------------------------------------------------------------- the page


def table(title, headings, rows):
    """A section with a table."""
    lines = [f"## {title}", ""] if title else []
    lines += [f"| {' | '.join(headings)} |", "|---" * len(headings) + "|"]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows), ""]


def of_split(name, rows):
    headings = ["reader", "accuracy", "± 95 %", "calibration error", "CPU s"]
    figures = {"accuracy": ".4f", "half": ".3f", "calibration error": ".3f", "cpu seconds": ".0f"}
    cells = [[way, *(format(row[key], how) for key, how in figures.items())] for way, row in rows.items()]
    return table(f"{name}, official split", headings, cells)


def of_grades(language, part, figures):
    rows = []
    for name, one in figures["agreement"].items():
        gain = figures["gained"].get(name)
        better = f"{gain['value']:+.3f} ({gain['low']:+.3f} to {gain['high']:+.3f})" if gain else ""
        rows.append([name, f"{one['value']:.3f}", f"{one['low']:.3f} to {one['high']:.3f}", better])
    made = ", ".join(f"{name} {one['value']:.1%}" for name, one in figures["made up"].items())
    refused = f"Real answers refused: {figures['refused']['value']:.1%}. Refused or lowest: {made}."
    title = f"Grades, {language}, {part.replace('_', ' ')}"
    return [*table(title, ["grader", "kappa", "95 %", "ours is better by"], rows), refused, ""]


def markdown(found):
    lines = [
        "# Texts predicted",
        "",
        "Written by `python -m benchmarks.text_predict`; CPU seconds of a busy machine.",
        "",
    ]
    for name, rows in found.get("split", {}).items():
        lines += of_split(name, rows)
    if "folds" in found:
        row = found["folds"]
        said = f"{row['accuracy']:.4f} (deviation over folds {row['deviation']:.4f})"
        lines += [f"movie_sentences in ten folds, linear: {said}.", ""]
    if "few" in found:
        rows = [[way, f"{row['accuracy']:.4f}", f"{row['deviation']:.4f}"] for way, row in found["few"].items()]
        lines += table(f"{LABELS} labels of movie_sentences, {DRAWS} draws", ["reader", "accuracy", "deviation"], rows)
    for language, parts in found.get("grade", {}).items():
        for part, figures in parts.items():
            lines += of_grades(language, part, figures)
    rows = [[what, f"{value:.4f}", bar, "yes" if holds else "no"] for what, value, bar, holds in bars(found)]
    lines += table("Bars", ["what", "figure", "bar", "holds"], rows)
    lines += ["No second grader: how well two people would agree on graded_answers is not known."]
    return "\n".join(lines) + "\n"


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(PARTS))
    parser.add_argument("--data", type=Path, default=Path("../shared/data/text"))
    parser.add_argument("--seconds", type=float, default=60.0, help="of training a network from scratch")
    parser.add_argument("--results", type=Path, default=RESULTS)
    asked = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    path = asked.results / "text_predict.json"
    found = json.loads(path.read_text()) if path.exists() else {}
    for part in asked.only:
        found[part] = {"split": split, "folds": folds, "few": few, "grade": grade}[part](asked.data, asked.seconds)
        path.write_text(json.dumps(found, indent=1) + "\n")
        (asked.results / "text_predict.md").write_text(markdown(found))
    print(markdown(found))
    return int(not all(holds for *_, holds in bars(found)))


if __name__ == "__main__":
    sys.exit(main())
