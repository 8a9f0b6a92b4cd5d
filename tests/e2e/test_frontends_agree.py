"""One model gives one Network, whichever frontend captured it."""

from __future__ import annotations

import hashlib
import re
from collections import Counter

import pytest
import torch
import torch_tensorrt
from e2e.models import MODELS, Model

# Layers that a frontend gives more (or fewer) of than a trace, by model and frontend. A trace of
# vit_b_16 holds PyTorch's fused multi-head attention; torch.export and FX see the ops inside of it.
FUSED_ATTENTION = {"reshape": 60, "transpose": 36, "unsqueeze": 12, "squeeze": 48}
DIFFERENCES = {
    ("vit_b_16", "dynamo"): FUSED_ATTENTION,
    ("vit_b_16", "fx"): FUSED_ATTENTION,
}


def network_of(model: Model, module: torch.nn.Module, ir: str) -> str:
    target = module
    if ir == "ts":
        target = torch.jit.trace(
            module, tuple(model.tensors(model.shapes)), check_trace=False, strict=False
        )
    # Symbolic tracing cannot follow the masks of transformers.
    options = {"is_aten": True} if ir == "fx" and model.integers else {}
    if ir != "fx":
        options["min_block_size"] = 1
    fast = torch_tensorrt.compile(target, ir=ir, inputs=model.fixed(), engine="openvino", **options)
    (engine,) = torch_tensorrt.report(fast).engines
    text: str = engine["network"]
    return text


def renamed(text: str) -> list[str]:
    """The layers with each value named by what computes it: names and order do not count.

    Input layers keep their types, constants their digests.
    """
    names: dict[str, str] = {}
    layers = set()
    for line in text.splitlines():
        line = re.sub(r'"[^"]*"', '""', line.split("  # ")[0]).strip()
        results, _, layer = line.partition(" = ")
        layer = re.sub(r"%\d+", lambda m: names[m[0]], layer or results)
        for index, result in enumerate(re.findall(r"%\d+", results) if "=" in line else []):
            names[result] = hashlib.sha256(f"{index} {layer}".encode()).hexdigest()[:16]
        layers.add(layer)
    return sorted(layers)


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
        assert renamed(other) == renamed(traced)
        return
    difference = kinds(other)
    difference.subtract(kinds(traced))
    assert {kind: n for kind, n in difference.items() if n} == DIFFERENCES[name, ir]
