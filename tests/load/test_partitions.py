"""Which ops stay in PyTorch is never seen in the results."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import torch
import torch_tensorrt
from e2e.checks import assert_close
from e2e.models import MODELS

NAMES = (
    "resnet18",
    "mobilenet_v3_large",
    "convnext_tiny",
    "swin_t",
    "densenet121",
    "minilm",
    "gpt2",
    "gru",
    "unet",
    "onet",
)
SHORT = ("resnet18", "minilm", "gru", "onet")
Compile = Callable[..., Any]


def openvino(module: Any, inputs: list[torch.Tensor], ops: set[str]) -> Any:
    return torch_tensorrt.compile(
        module,
        ir="ts",
        inputs=inputs,
        engine="openvino",
        min_block_size=1,
        torch_executed_ops=ops,
        cache_built_engines=False,
    )


def mismatches(compile_: Compile, names: tuple[str, ...], sets: int) -> int:
    """Of random sets of ops that stay, those that change a result."""
    chosen, wrong = random.Random(0), 0
    for name in names:
        model = MODELS[name]
        module, inputs = model.module(), model.tensors(model.smallest or model.shapes)
        expected = module(*inputs)
        traced = torch.jit.trace(module, tuple(inputs), check_trace=False)
        nodes = torch_tensorrt.report(openvino(traced, inputs, set())).data["nodes"]
        kinds = sorted({n["op"].partition(".")[0] for n in nodes if n["engine"] >= 0})
        kinds = [kind for kind in kinds if kind.startswith("aten::")]
        for _ in range(sets):
            ops = set(chosen.sample(kinds, chosen.randint(1, min(5, len(kinds)))))
            fast = compile_(traced, inputs, ops)
            left = {n["op"].partition(".")[0] for n in torch_tensorrt.report(fast).in_pytorch}
            assert ops <= left, f"{name}: {ops - left} went into an engine"
            try:
                assert_close(fast(*inputs), expected)
            except AssertionError as error:
                print(f"{name} with {sorted(ops)} in PyTorch: {error}")
                wrong += 1
    return wrong


def test_random_sets_of_ops_in_pytorch(long: bool) -> None:
    assert mismatches(openvino, NAMES if long else SHORT, 20 if long else 3) == 0


def test_a_set_that_changes_a_result_is_found() -> None:
    """A planted bug: where the linear layers stay in PyTorch, one of them has other weights."""

    def compile_(module: Any, inputs: list[torch.Tensor], ops: set[str]) -> Any:
        if "aten::linear" in ops:
            with torch.no_grad():
                next(iter(module.parameters())).mul_(1.01)
        return openvino(module, inputs, ops)

    assert mismatches(compile_, ("onet",), 4) > 0
