"""How fast a language model writes, beside the `generate` of transformers on the same weights, and whether both write
the same.

usage: python -m benchmarks.text_decoding --model DIR [--tokens 255] [--rounds 5] [--threads 1,2]
The network of a saved model (gpt, bytes, context 256) is put into a `PreTrainedModel` with a `DynamicCache`: the same
weights and fp32. Both draw with temperature 1 from one opening token, within one context; the best
of some rounds counts, at the number of threads that is best for each. Then both write greedily from prompts of the
text: the same tokens, or the first place where they part and by how little. One JSON line.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

PROMPTS = ("ROMEO:\n", "First Citizen:\nWe are ", "KING RICHARD III:\nNow ", "the ")
BATCHES = (1, 32)
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}


def port(net: Any) -> Any:
    """anew's network as transformers wants one."""
    from transformers import DynamicCache, GenerationMixin, PretrainedConfig, PreTrainedModel
    from transformers.modeling_outputs import CausalLMOutputWithPast

    from anew.networks._grams import BEFORE, LONGEST, hashes
    from anew.networks.gpt import norm, squared_relu, turned

    class Config(PretrainedConfig):  # type: ignore[misc]
        model_type = "anew-gpt"

    class Ported(PreTrainedModel, GenerationMixin):  # type: ignore[misc]
        config_class = Config
        _supports_cache_class = True
        main_input_name = "input_ids"

        def __init__(self, config: Any) -> None:
            super().__init__(config)
            self.net = net

        def forward(self, input_ids: Tensor, past_key_values: Any = None, **_: Any) -> Any:
            cache = DynamicCache() if past_key_values is None else past_key_values
            at, many = cache.get_seq_length(), input_ids.shape[1]
            if not at:
                self.before = input_ids.new_full((len(input_ids), LONGEST - 1), BEFORE)
            h = self.opened(input_ids)
            turns = net.turns[:, at : at + many]
            for i, layer in enumerate(net.layers):
                asked = F.linear(norm(h), layer.ask).unflatten(2, (3 * layer.heads, -1))
                qk = turned(norm(asked[:, :, : 2 * layer.heads]).transpose(1, 2), turns)
                v = asked[:, :, 2 * layer.heads :]
                v = v if layer.values is None else v + layer.values(input_ids).view_as(v)
                q, k = qk.chunk(2, 1)
                k, v = cache.update(k, v.transpose(1, 2), i)
                told = F.scaled_dot_product_attention(q, k, v, is_causal=many > 1)
                h = h + F.linear(told.transpose(1, 2).flatten(2), layer.gather)
                h = h + F.linear(squared_relu(F.linear(norm(h), layer.up)), layer.down)
            return CausalLMOutputWithPast(logits=net._logits(h, input_ids), past_key_values=cache)

        def opened(self, x: Tensor) -> Tensor:
            h = net.embed(x)
            if net.grams is not None:
                whole = torch.cat([self.before, x], 1)
                rows = hashes(whole.unfold(1, LONGEST, 1), net.grams.powers, net.grams.first)
                h = h + net.grams.lift(net.grams.table(rows).flatten(2))
                self.before = whole[:, -(LONGEST - 1) :]
            return norm(h)

    size = net.embed.num_embeddings
    config = Config(vocab_size=size, num_hidden_layers=len(net.layers), hidden_size=net.embed.embedding_dim)
    return Ported(config).eval()


def best(work: Callable[[], int], rounds: int, clock: Callable[[], float]) -> float:
    """Tokens a second, of the fastest round."""
    rates = []
    for _ in range(rounds + 1):
        began = clock()
        many = work()
        rates.append(many / (clock() - began))
    return max(rates[1:])


def speeds(learner: Any, ported: Any, tokens: int, rounds: int, clock: Callable[[], float]) -> dict[str, float]:
    """Of both, at each batch."""
    found = {}
    opening = int(learner.sequences.opening[-1])
    for batch in BATCHES:

        def ours(rows: int = batch) -> int:
            learner.tokens = tokens
            return len(learner.sample(rows, np.random.default_rng(0)).tokens)

        @torch.inference_mode()
        def theirs(rows: int = batch) -> int:
            start = torch.full((rows, 1), opening)
            how: dict[str, Any] = {"min_new_tokens": tokens, "max_new_tokens": tokens}
            made = ported.generate(start, do_sample=True, top_k=0, pad_token_id=0, **how)
            return int((made.shape[1] - 1) * rows)

        found[f"anew, batch {batch}"] = best(ours, rounds, clock)
        found[f"transformers, batch {batch}"] = best(theirs, rounds, clock)
    return found


def greedy(learner: Any, ported: Any, tokens: int) -> dict[str, Any]:
    """Whether both write the same where the likeliest token is always taken."""
    same, parted = 0, []
    learner.top_k = 1
    opening = list(learner.sequences.opening)
    for prompt in PROMPTS:
        start = list(prompt.encode())
        room = min(tokens, learner.net.context - len(opening) - len(start))
        learner.prompt, learner.tokens = start, room
        ours = learner.sample(1, np.random.default_rng(0))[0].tolist()
        with torch.inference_mode():
            how: dict[str, Any] = {"min_new_tokens": room, "max_new_tokens": room}
            made = ported.generate(torch.tensor([opening + start]), do_sample=False, pad_token_id=0, **how)
        theirs = made[0, len(opening) :].tolist()[: len(ours)]
        same += ours == theirs
        parted += (
            [next(i for i, (a, b) in enumerate(zip(ours, theirs, strict=True)) if a != b)] if ours != theirs else []
        )
    learner.prompt, learner.top_k = (), None
    return {"prompts": len(PROMPTS), "same": same, "parted at": parted}


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--tokens", type=int, default=240)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=lambda text: [int(word) for word in text.split(",")], default=[1, 2])
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="cpu: CPU seconds, on a busy machine")
    given = parser.parse_args()
    import anew

    (factor,) = anew.load(given.model).joint.factors
    learner: Any = factor.learner
    learner.counter = None  # the network alone, where n-grams were counted beside it
    ported = port(learner.net.eval())
    found: dict[str, float] = {}
    clock = CLOCKS[given.clock]
    for threads in given.threads:
        torch.set_num_threads(threads)
        for name, rate in speeds(learner, ported, given.tokens, given.rounds, clock).items():
            found[name] = max(found.get(name, 0.0), rate)
    print(json.dumps({"tokens a second": found, "greedy": greedy(learner, ported, given.tokens)}))


if __name__ == "__main__":
    main()
