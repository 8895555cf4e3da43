"""The recipes of texts: what they keep to, beside real texts, shuffled real ones and an n-gram model alone.

    python -m benchmarks.text_recipes [--parts copy,practice,scripts] [--data ../shared/data/text] [--models FOLDER]

One network for each part, of so many steps on one thread (about five CPU minutes each at most); the parts that were run
are put beside those of before in results/text_recipes.json, and results/text_recipes.md is written from all. It ends
with 1 if a gate line fails. `--models` keeps the networks, so that a second run only draws and judges; `--quick` trains
a quarter as long and draws less than half as many texts.
"""

import argparse
import json
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import polars as pl

import anew
from anew import fitting
from anew.audit.byte_model import ByteModel
from anew.data.dataset import Dataset
from anew.recipes import _copy, _copy_marks, _copy_roles, _play, _play_marks, _quiz, _quiz_marks
from anew.recipes._bank import alike, shares
from anew.recipes._scans import some
from anew.recipes._texts import as_said
from benchmarks.gate import Line

RESULTS = Path(__file__).parent / "results"
SIZE = {"network": "gpt", "width": 128, "depth": 3, "context": 256, "mix": 1}
STEPS = {"copy": 500, "practice": 500, "scripts": 300}
PRODUCTS, DRAFTS, QUESTIONS, SCENES, SHOWN = 100, 3, 140, 24, 30
QUICK = {"PRODUCTS": 40, "DRAFTS": 2, "QUESTIONS": 56, "SCENES": 8, "MOST": 400}
MOST = 600  # characters of copy
AVOID = ("free*", "best", "easy*")
HOW = {"temperature": 0.8, "top_p": 0.95}
SEED = 0


@contextmanager
def steps(many):
    """Trainings of so many steps, however long they take."""
    usual = fitting._with_steps
    fitting._with_steps = lambda factor, *_: factor.plan.model_copy(update={"steps": many, "seconds": 7200.0})
    try:
        yield
    finally:
        fitting._with_steps = usual


def fitted(part, table, learn, given, folder):
    """A model and the CPU seconds that it took; from a folder where it is there."""
    out = None if folder is None else folder / part
    if out is not None and (out / "config.json").exists():
        model = anew.load(out)
        return model, model.provenance["cost"]["cpu_seconds"]
    with steps(STEPS[part]):
        model = anew.fit(table, learn=learn, given=given, seed=SEED, out=out, **SIZE)
    return model, model.provenance["cost"]["cpu_seconds"]


def counted(table, learn):
    """An n-gram model of the texts alone, given nothing."""
    return anew.fit(some(table, [learn]), learn=learn, network="ngram", seed=SEED)


def drawn(model, n, learn, **how):
    return [text or "" for text in pl.concat(list(model.stream(n, seed=SEED, **{**HOW, **how})))[learn]]


# ---------------------------------------------------------------- copy


def products(data):
    """The table to learn from, its roles, and the products of the test split."""
    frame = pl.read_parquet(data / "product_copy" / "data.parquet").select(
        "name", "category", "keywords", "description", "split"
    )
    train, test = (frame.filter(pl.col("split") == name).drop("split") for name in ("train", "test"))
    table = Dataset.open(train)
    roles = _copy_roles.roles_of(table, "description", "name", "category", "keywords", None)
    table = some(as_said(table, ["name", "keywords"]), [*roles.told, roles.text])
    held = _copy.Limits((roles.name, roles.keywords), AVOID, 0, MOST)
    able = [one for one in _copy_roles.products_of(test, roles) if _copy.possible(roles, held, one)]
    return table, roles, able[:PRODUCTS], held


def copy(data, folder):
    table, roles, given, held = products(data)
    model, spent = fitted("copy", _copy.with_signs(table, roles), roles.text, roles.told, folder)
    learned = _copy_roles.products_of(table.frame, roles)
    known = [one[roles.text] for one in learned]
    marks = _copy_marks.Marks(roles, known, learned, SEED)
    desk = _copy.Desk(model, roles, known, HOW)
    free = _copy.Limits((), (), 0, MOST)
    made = {
        "new copy, nothing required": desk.written(given, free, n=1, drafts=1, seed=SEED),
        "the same, best of as many drafts": desk.written(given, free, n=1, drafts=DRAFTS, seed=SEED),
        "new copy, name and two keywords required": desk.written(given, held, n=1, drafts=DRAFTS, seed=SEED),
    }
    texts = {name: [one.text for one in copies] for name, copies in made.items()}
    order = np.random.default_rng(SEED).permutation(len(known))[: len(given)]
    others = {
        "real copy": [one[roles.text] for one in given],
        "real copy of other products": [known[i] for i in order],
        "n-gram model alone": [
            t[:MOST] for t in drawn(counted(table, roles.text), len(given), roles.text, tokens=MOST)
        ],
    }
    last = made["new copy, name and two keywords required"]
    kept = _copy_marks.held_to([one.text for one in last], [one.required for one in last], AVOID, MOST)
    asked = [word for one in last for word in one.required]
    kept["required words"] = len(asked)
    return {
        "cpu_seconds": spent,
        "steps": model.plan.create[0].steps,
        "marks": {name: marks.of(some_texts, given) for name, some_texts in {**others, **texts}.items()},
        "kept": kept,
        "shown": [{**{k: one.product[k] for k in roles.told}, "copy": one.text} for one in last[:10]],
    }


def copy_gate(found):
    m = found["marks"]
    real, free = m["real copy"], m["new copy, nothing required"]
    same, held = m["the same, best of as many drafts"], m["new copy, name and two keywords required"]
    lacking = found["kept"]["without a required word"]
    bad = found["kept"]["with a banned word"] + found["kept"]["too long"]
    yield bar("copy", "category read back, of real copy's", free["category"] / real["category"], 0.85, ">=")
    yield bar("copy", "texts with all that is required", 1 - lacking / held["texts"], 0.90, ">=")
    yield bar("copy", "texts with a banned word or too long", bad, 0, "<=")
    yield bar("copy", "bits a byte, as required, over the same unforced", held["bits"] - same["bits"], 0.0, "<=")
    yield bar(
        "copy",
        "category read back, as required, less the same unforced",
        held["category"] - same["category"],
        0.0,
        ">=",
    )
    yield bar("copy", "name mentioned, away from real copy", abs(free["name"] - real["name"]), 0.10, "<=")
    yield bar("copy", "keywords mentioned, away from real copy", abs(free["keywords"] - real["keywords"]), 0.10, "<=")
    worst = max(free["copied"], held["copied"])
    yield bar("copy", "share with a run over 60 characters", worst, real["copied"], "<=")


# ---------------------------------------------------------------- practice


def practice(data, folder):
    frame = pl.read_parquet(data / "question_bank" / "data.parquet")
    columns = ("category", "question", "choices", "answer")
    learned, held = (_quiz.bank_of(frame.filter(pl.col("split") == name), *columns) for name in ("train", "test"))
    model, spent = fitted("practice", _quiz.table_of(learned), "item", ["subject", "form"], folder)
    marks, sheet = _quiz_marks.QuizMarks(learned, held, SEED), _quiz.Sheet(learned)
    made = [
        one
        for word, form, many in alike(held, QUESTIONS)
        for one in _quiz.drawn(model, sheet, word, form, many, HOW, SEED + 1)
    ]
    left = dict(sheet.left)
    subjects = sorted({one.subject for one in held})
    shown = [
        one
        for word, many in shares(subjects, SHOWN)
        for one in _quiz.drawn(model, sheet, word, _quiz.FOUR, many, HOW, SEED + 2)
    ]
    forms, table = _quiz.FORMS[_quiz.FOUR], Dataset.open(_quiz.table_of(learned))
    counts = [
        _quiz.read(text, held[i].subject)
        for i, text in enumerate(drawn(counted(table, "item"), QUESTIONS, "item", regex=forms))
    ]
    order = np.random.default_rng(SEED).permutation(len(held))
    mixed = [
        _quiz.Question(held[int(i)].question, held[int(i)].choices, one.subject)
        for i, one in zip(order, held, strict=True)
    ]
    ways = {
        "the bank's own, held out": held,
        "the same, subjects shuffled": mixed,
        "n-gram model alone": counts,
        "new questions": made,
    }
    return {
        "cpu_seconds": spent,
        "steps": model.plan.create[0].steps,
        "marks": {name: marks.of(some_questions) for name, some_questions in ways.items()},
        "left": left,
        "shown": [one.row() for one in marks.placed(shown)],
    }


def practice_gate(found):
    m = found["marks"]
    real, new = m["the bank's own, held out"], m["new questions"]
    yield bar("practice", "subject read back, of real questions'", new["subject"] / real["subject"], 0.80, ">=")
    yield bar("practice", "well formed", new["well formed"], 1.0, ">=")
    yield bar("practice", "in the bank", new["in the bank"], 0.0, "<=")
    yield bar("practice", "nearly in the bank", new["nearly in the bank"], real["nearly in the bank"], "<=")
    unchecked = sum(row["answer is"] == _quiz.UNCHECKED for row in found["shown"])
    yield bar("practice", "answers that carry “unchecked”", unchecked / len(found["shown"]), 1.0, ">=")


# ---------------------------------------------------------------- scripts


def scripts(data, folder):
    plays = _play.speeches_of(data / "tiny_shakespeare" / "train.txt")
    scenes = _play.scenes_of(plays)
    held = _play.scenes_of(_play.speeches_of(data / "tiny_shakespeare" / "valid.txt"))["text"].to_list()
    table = as_said(Dataset.open(scenes), scenes.columns)
    model, spent = fitted("scripts", table, "text", ["cast", "opens"], folder)
    rng = np.random.default_rng(SEED)
    texts, strangers, speeches = [], 0, 0
    for i in rng.permutation(len(scenes))[:SCENES]:
        cast = scenes["cast"][int(i)].split(", ")[:4]
        where = _play.told(cast, cast[0], None, ["cast", "opens"])
        new = drawn(model, 1, "text", where=where, regex=_play.form(cast, cast[0], 5), tokens=1200)
        strangers += _play_marks.strangers(new, cast)
        speeches += len(_play_marks.SPEAKER.findall(new[0]))
        texts += new
    learned = scenes["text"].to_list()
    lines = [line for text in held for line in text.split("\n")]
    shuffled = ["\n".join(rng.permutation(lines)[:25]) for _ in range(SCENES)]
    counts = drawn(counted(table, "text"), SCENES, "text", tokens=900)
    judge = ByteModel(learned)
    ways = {
        "scenes held out": held,
        "their lines shuffled": shuffled,
        "n-gram model alone": counts,
        "new scenes": texts,
    }
    return {
        "cpu_seconds": spent,
        "steps": model.plan.create[0].steps,
        "marks": {name: _play_marks.marks_of(some_texts, learned, judge) for name, some_texts in ways.items()},
        "strangers": strangers,
        "speeches": speeches,
        "shown": [{"scene": _play.script(i, None, text)} for i, text in enumerate(texts[:3], 1)],
    }


def scripts_gate(found):
    real, new = found["marks"]["scenes held out"], found["marks"]["new scenes"]
    yield bar("scripts", "speeches by anybody who is not in the cast", found["strangers"], 0, "<=")
    yield bar("scripts", "share with a run over 60 characters", new["copied"], real["copied"], "<=")
    away = abs(new["bits"] - real["bits"])
    yield bar("scripts", "bits a byte under the n-gram judge, away from scenes held out", away, 0.30, "<=")


# ---------------------------------------------------------------- pages


def bar(table, criterion, ours, asked, how):
    passed = ours >= asked - 1e-9 if how == ">=" else ours <= asked + 1e-9
    return Line(table, criterion, f"{ours:.3f}", f"{how} {asked:.3f}", bool(passed))


PARTS = {"copy": (copy, copy_gate), "practice": (practice, practice_gate), "scripts": (scripts, scripts_gate)}


def page(found):
    out = ["# Recipes of texts", "", "Written by `python -m benchmarks.text_recipes`.", ""]
    lines = [line for name, one in found.items() for line in PARTS[name][1](one)]
    out += ["| part | criterion | ours | bar | |", "|---|---|---|---|---|", *(line.markdown() for line in lines), ""]
    for name, one in found.items():
        keys = list(next(iter(one["marks"].values())))
        keys = list(dict.fromkeys(key for row in one["marks"].values() for key in row)) or keys
        out += [f"## {name}", "", f"{one['steps']} steps, {one['cpu_seconds']:.0f} CPU seconds.", ""]
        out += [f"| | {' | '.join(keys)} |", "|---" * (len(keys) + 1) + "|"]
        for way, row in one["marks"].items():
            out.append(f"| {way} | {' | '.join(f'{row[key]:.3f}' if key in row else '-' for key in keys)} |")
        out += ["", "Not selected:", "", *shown(name, one["shown"]), ""]
    return "\n".join(out), lines


def shown(name, rows):
    """What was written, as it came."""
    if name == "practice":
        for i, row in enumerate(rows, 1):
            choices = "  ".join(f"{letter}) {row[letter]}" for letter in "ABCD" if row[letter])
            key = f"{row['answer']}, {row['answer is']}"
            yield f"{i}. ({row['subject']}) {row['question']}  \n   {choices}  \n   Key: {key}."
        return
    for row in rows:
        head = ", ".join(f"{key}: {value}" for key, value in row.items() if key not in ("copy", "scene") and value)
        yield from ["```text", *([f"[{head}]"] if head else []), row.get("copy") or row.get("scene"), "```"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--data", type=Path, default=Path("../shared/data/text"))
    parser.add_argument("--models", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args()
    if asked.quick:
        globals().update(QUICK, STEPS={name: many // 4 for name, many in STEPS.items()})
    place = asked.out / "text_recipes.json"
    found = json.loads(place.read_text(encoding="utf-8")) if place.exists() else {}
    for name in asked.parts.split(","):
        begin = time.process_time()
        found[name] = PARTS[name][0](asked.data, asked.models)
        print(f"{name}: {time.process_time() - begin:.0f} CPU seconds in all", flush=True)
        place.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    found = {name: found[name] for name in PARTS if name in found}
    words, lines = page(found)
    (asked.out / "text_recipes.md").write_text(words, encoding="utf-8")
    print(words)
    return int(not all(line.passed for line in lines))


if __name__ == "__main__":
    sys.exit(main())
