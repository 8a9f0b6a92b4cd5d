"""opt_trace: `torch_tensorrt.fx.trace` with the arguments of the dispatch tracer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import fx, nn

from torch_tensorrt.fx._trace import trace as _trace


def opt_trace(f: nn.Module, args: Sequence[Any]) -> fx.GraphModule:
    """A trace of aten operators: `torch_tensorrt.fx.trace(f, args, aten=True)`.

    >>> import torch
    >>> from torch_tensorrt.fx.tracer.dispatch_tracer import aten_tracer
    >>> traced = aten_tracer.opt_trace(torch.nn.ReLU(), [torch.ones(2)])
    >>> [str(node.target) for node in traced.graph.nodes if node.op == "call_function"]
    ['aten.relu.default']
    """
    return _trace(f, args, aten=True)
