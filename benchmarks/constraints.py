"""Constraints on text: how many of the texts written under random ones are invalid, and what the masks cost.

    python -m benchmarks.constraints [--schemas 1000] [--expressions 1000] [--rows 4]

A model for which every token is equally likely writes under random JSON schemas and regular expressions, with bytes and
with 4,096 pieces of bytes, and with budgets from the shortest text on. Each text is read by `json` and `jsonschema`, or
by `re.fullmatch`. It ends with 1 if one is invalid. The cost is that of barring tokens and of stepping on, for a schema
of a patient, in CPU time beside that of a step of a transformer of width 192 in four layers.
"""

import argparse
import json
import re
import sys
import time
from pathlib import Path
from random import Random

import numpy as np

from anew.core.errors import GrammarError
from anew.core.sequences import Sequences
from anew.grammar.regex import regex
from anew.grammar.schema import schema
from anew.grammar.tokens import Guide
from anew.objectives._choosing import Style, pick
from anew.objectives.next_token import NextToken
from anew.testing import grammars

RESULTS = Path(__file__).parent / "results" / "constraints.json"
ROOM = (0, 1, 5, 50, 200)  # tokens beyond the shortest text
PIECES = 4096
PATIENT = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 40},
        "age": {"type": "integer", "minimum": 0, "maximum": 120},
        "weight": {"type": "number", "exclusiveMinimum": 2, "maximum": 400, "multipleOf": 0.5},
        "tags": {"type": "array", "items": {"enum": ["red", "green", "blue"]}, "maxItems": 5},
        "note": {"type": "string"},
        "since": {"type": "string", "format": "date"},
    },
    "required": ["name", "age", "weight", "tags", "note", "since"],
}


def no_match(expression, text):
    return "" if re.fullmatch(expression, text.decode()) else f"no match of {expression}"


def tried(make, read, judge, count, rows, vocabularies):
    """Counts over random constraints: those refused, texts, those invalid; seconds to make an automaton."""
    found = {"constraints": count, "refused": 0, "texts": 0, "invalid": 0, "wrong": []}
    seconds, states = [], []
    for seed in range(count):
        random = Random(seed)
        asked = make(random)
        begin = time.process_time()
        try:
            automaton = read(asked)
        except GrammarError as error:
            found["refused"] += 1
            found["wrong"].append(str(error))
            continue
        seconds.append(time.process_time() - begin)
        states.append(automaton.states)
        guide = Guide(automaton, vocabularies[seed % len(vocabularies)], grammars.END)
        for text in grammars.written(guide, rows, guide.shortest + random.choice(ROOM), np.random.default_rng(seed)):
            found["texts"] += 1
            if reason := judge(asked, text):
                found["invalid"] += 1
                found["wrong"].append(reason)
    found |= {"median_s": float(np.median(seconds)), "p99_s": float(np.quantile(seconds, 0.99))}
    return found | {"median_states": float(np.median(states)), "most_states": max(states)}


def cost(pieces, rows, steps=256):
    """CPU microseconds a step of all rows, in a guide that is new and in one that was used; the guide's own seconds."""
    begin = time.process_time()
    guide = Guide(schema(PATIENT), pieces, grammars.END)
    made = time.process_time() - begin
    found = []
    for _ in range(3):
        rng, walk, spent = np.random.default_rng(0), guide.start(rows, steps), 0.0
        for _ in range(steps):
            logits = rng.standard_normal((rows, guide.size)).astype(np.float32)
            begin = time.process_time()
            walk.bar(logits)
            spent += time.process_time() - begin
            tokens = logits.argmax(1)
            begin = time.process_time()
            walk.write(tokens)
            spent += time.process_time() - begin
        found.append(spent / steps * 1e6)
    return {"guide_s": made, "first_us": found[0], "later_us": min(found[1:]), "free_us": free(guide.size, rows)}


def free(size, rows, steps=256):
    """CPU microseconds a step of all rows without a constraint, of a transformer that has learned nothing."""
    space = Sequences((size,), end=grammars.END, opening=(grammars.END,), most=steps)
    learner = NextToken(space, {}, network="gpt", context=256, width=192, depth=4)
    rng, reader, found = np.random.default_rng(0), learner.reader(rows, None), []
    logits = reader.read(np.full((rows, 1), grammars.END))
    for _ in range(steps - 1):
        begin = time.process_time()
        tokens = pick(Style().chances(logits[:, :size], reader.written), rng.random(rows))
        logits = reader.read(tokens[:, None])
        found.append(time.process_time() - begin)
    return float(np.mean(found)) * 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--schemas", type=int, default=1000)
    parser.add_argument("--expressions", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=4)
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args()
    vocabularies = [grammars.vocabulary(), grammars.vocabulary(Random(0), PIECES)]
    found = {
        "schemas": tried(grammars.schema, schema, grammars.why_invalid, asked.schemas, asked.rows, vocabularies),
        "expressions": tried(grammars.expression, regex, no_match, asked.expressions, asked.rows, vocabularies),
        "cost": {
            f"{len(pieces)} tokens, {rows} rows": cost(pieces, rows) for pieces in vocabularies for rows in (1, 32)
        },
    }
    for name in ("schemas", "expressions"):
        one = found[name]
        print(
            f"{one['constraints']} random {name}: {one['refused']} refused, {one['texts']} texts, "
            f"{one['invalid']} invalid; automaton {one['median_s']:.3f} s (99 %: {one['p99_s']:.2f} s), "
            f"{one['median_states']:.0f} states (at most {one['most_states']:,})"
        )
        for reason in one["wrong"][:10]:
            print("   ", reason)
    for name, one in found["cost"].items():
        slower = one["later_us"] / one["free_us"]
        print(
            f"{name}: {one['later_us']:.0f} us a step ({one['first_us']:.0f} in the first text), {slower:.1%} of the "
            f"{one['free_us']:.0f} us without; guide {one['guide_s']:.2f} s"
        )
    asked.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return int(any(found[name]["invalid"] for name in ("schemas", "expressions")))


if __name__ == "__main__":
    sys.exit(main())
