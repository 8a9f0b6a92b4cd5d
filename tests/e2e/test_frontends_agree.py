"""One model gives one Network, whichever frontend captured it."""

from __future__ import annotations

import re
from collections import Counter

import pytest
import torch
import torch_tensorrt
from e2e.models import MODELS, Model

# Layers that one frontend has more of than a trace, by model: what legitimately differs.
DIFFERENCES: dict[tuple[str, str], dict[str, int]] = {}


def network_of(model: Model, module: torch.nn.Module, ir: str) -> str:
    target = module
    if ir == "ts":
        target = torch.jit.trace(
            module, tuple(model.tensors(model.shapes)), check_trace=False, strict=False
        )
    fast = torch_tensorrt.compile(
        target, ir=ir, inputs=model.fixed(), engine="openvino", min_block_size=1
    )
    (engine,) = torch_tensorrt.report(fast).engines
    text: str = engine["network"]
    return text


def renamed(text: str) -> list[str]:
    """Lines without origins and names; values numbered in order, constants by their digests."""
    numbers: dict[str, str] = {}
    lines = []
    for line in text.splitlines():
        line = line.split("  # ")[0]
        line = re.sub(r'name="[^"]*"', 'name=""', line)
        line = re.sub(r'"[^"]*"', '""', line)
        line = re.sub(r"%\d+", lambda m: numbers.setdefault(m[0], f"%{len(numbers)}"), line)
        lines.append(line.strip())
    return lines


def kinds(text: str) -> Counter[str]:
    found = re.findall(r"= (\w+)\(", text)
    return Counter(kind for kind in found if kind not in ("constant", "input"))


@pytest.mark.parametrize("ir", ["dynamo", "fx"])
@pytest.mark.parametrize("name", ["resnet50", "vit_b_16", "minilm"])
def test_same_network_as_a_trace(name: str, ir: str) -> None:
    model = MODELS[name]
    module = model.module()
    traced, other = network_of(model, module, "ts"), network_of(model, module, ir)
    if (name, ir) not in DIFFERENCES:
        assert sorted(renamed(other)) == sorted(renamed(traced)) or kinds(other) == kinds(traced)
        return
    difference = kinds(other)
    difference.subtract(kinds(traced))
    assert {kind: n for kind, n in difference.items() if n} == DIFFERENCES[name, ir]
