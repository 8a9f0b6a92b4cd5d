"""flex_attention as the ops that it stands for."""

from __future__ import annotations

from typing import Any

import torch
from torch import fx
from torch.fx.experimental.proxy_tensor import make_fx

from torch_tensorrt._program.decompositions import decompositions, kept_whole


def as_ops(node: fx.Node, values: tuple[Any, ...]) -> tuple[fx.GraphModule, list[Any]]:
    """PyTorch's own formula for a call, and which of the call's values are its inputs.

    Of the block mask only its function counts: the blocks say what a kernel may leave out.

    Args:
        node: the call.
        values: its arguments, whatever stands for them; functions are graph modules.
    """
    from torch._higher_order_ops.flex_attention import math_attention

    *_, score, block_mask, scale, options, score_reads, _ = values

    def tensors(arguments: Any) -> list[Any]:
        return [*arguments[:3], *arguments[-2], *arguments[-1]]

    def attend(query: Any, key: Any, value: Any, *others: Any) -> Any:
        mask = (block_mask[-1],)
        read = others[: len(score_reads)], others[len(score_reads) :]
        return math_attention(query, key, value, score, mask, scale, options, *read)

    fakes = [
        argument.meta.get("val", value) if isinstance(argument, fx.Node) else argument
        for argument, value in zip(tensors(node.args), tensors(values), strict=True)
    ]
    with kept_whole(), torch.no_grad():
        body = make_fx(attend, decompositions(), tracing_mode="symbolic")(*fakes)
    for inner in body.graph.nodes:
        for key in ("stack_trace", "nn_module_stack"):
            inner.meta.pop(key, None)
            if key in node.meta:
                inner.meta[key] = node.meta[key]
    return body, tensors(values)
