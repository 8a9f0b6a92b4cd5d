"""What the end-to-end tests assert, in one place."""

from __future__ import annotations

from typing import Any

import torch
import torch_tensorrt
from torch.utils import _pytree as pytree

RELATIVE_ERROR = 1e-4  # of float32, against the largest magnitude of the output


def assert_close(got: Any, expected: Any, tolerance: float = RELATIVE_ERROR) -> None:
    """Same nesting, dtypes and shapes, and values within `tolerance` of the largest one."""
    ours, structure = pytree.tree_flatten(got)
    theirs, expected_structure = pytree.tree_flatten(expected)
    assert structure == expected_structure
    for a, b in zip(ours, theirs, strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        if b.numel() == 0:
            continue
        if b.dtype is torch.bool:
            assert torch.equal(a, b)
            continue
        scale = b.abs().max().item() or 1.0
        error = (a - b).abs().max().item() / scale
        assert error <= tolerance, f"relative error {error:.2e}, expected at most {tolerance:.0e}"


def assert_one_engine(module: torch.nn.Module, plugin: str) -> None:
    """Everything that computes is in one engine of that plugin."""
    report = torch_tensorrt.report(module)
    plugins = [engine["plugin"] for engine in report.engines]
    assert report.in_pytorch == [], report.text[:3000]
    assert plugins == [plugin], report.text[:3000]


def engines(module: torch.nn.Module) -> int:
    """Number of engines in a compiled module."""
    return len(torch_tensorrt.report(module).engines)


def ops_in_pytorch(module: torch.nn.Module) -> dict[str, str]:
    """Codes of the reasons why ops stayed in PyTorch, by op."""
    return {node["op"]: node["code"] for node in torch_tensorrt.report(module).in_pytorch}


def plain_dicts(value: Any) -> Any:
    """The value as TorchScript gives it back: it has one kind of dict."""
    if isinstance(value, dict):
        return {key: plain_dicts(element) for key, element in value.items()}
    return value
