"""Fusions of a transposition with the matrix product that reads it."""

from __future__ import annotations

import operator
from typing import Any

import torch
from torch import fx, nn
from torch.nn import functional as F

_PERMUTES = (torch.permute, torch.transpose, torch.swapaxes)
_MATMULS = (torch.matmul, torch.bmm, operator.matmul)


def transposed_linear(
    x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None
) -> torch.Tensor:
    """linear(x.mT, weight, bias), the transposition left to the matrix product."""
    product = torch.matmul(x.transpose(-1, -2), weight.t())
    return product if bias is None else product + bias


def transposed_matmul(
    a: torch.Tensor, b: torch.Tensor, transpose_a: bool, transpose_b: bool
) -> torch.Tensor:
    """Matmul of the arguments, or of their transposes, as matrix products take them."""
    left = a.transpose(-1, -2) if transpose_a else a
    right = b.transpose(-1, -2) if transpose_b else b
    return torch.matmul(left, right)


def fuse_permute_linear(module: fx.GraphModule) -> fx.GraphModule:
    """Makes one `transposed_linear` of a swap of the last two axes and the linear that reads it."""
    for node in list(module.graph.nodes):
        swapped = _swapped(node.args[0]) if node.args else None
        if swapped is None:
            continue
        with module.graph.inserting_before(node):
            parameters = _linear_parameters(module, node)
            if parameters is None:
                continue
            new = module.graph.call_function(transposed_linear, (swapped, *parameters))
        _replace(node, new)
    module.recompile()
    return module


def fuse_permute_matmul(module: fx.GraphModule) -> fx.GraphModule:
    """Makes one `transposed_matmul` of swaps of the last two axes and their product."""
    for node in list(module.graph.nodes):
        function = node.op == "call_function" and node.target in _MATMULS
        if not function and not (node.op == "call_method" and node.target in ("matmul", "bmm")):
            continue
        if len(node.args) != 2 or node.kwargs:
            continue
        swaps = [_swapped(argument) for argument in node.args]
        if all(swap is None for swap in swaps):
            continue
        operands = [
            argument if swap is None else swap
            for argument, swap in zip(node.args, swaps, strict=True)
        ]
        with module.graph.inserting_before(node):
            new = module.graph.call_function(
                transposed_matmul, (*operands, *(swap is not None for swap in swaps))
            )
        _replace(node, new)
    module.recompile()
    return module


def _swapped(value: Any) -> Any:
    """What `value` swaps the last two axes of; None where it is something else."""
    if not isinstance(value, fx.Node) or value.kwargs:
        return None
    function = value.op == "call_function" and value.target in _PERMUTES
    method = value.op == "call_method" and value.target in ("permute", "transpose", "swapaxes")
    if not function and not method:
        return None
    source, *axes = value.args
    if len(axes) == 1 and isinstance(axes[0], tuple | list):
        axes = list(axes[0])
    if any(not isinstance(axis, int) for axis in axes):
        return None
    name = value.target if method else value.target.__name__  # type: ignore[union-attr]
    rank = len(axes) if name == "permute" else _rank(source)
    order = [axis % rank if rank else axis for axis in axes]  # type: ignore[operator]
    if name == "permute":
        swaps = order == [*range(rank - 2), rank - 1, rank - 2]
    else:
        swaps = set(order) == ({rank - 2, rank - 1} if rank else {-2, -1})
    return source if swaps else None


def _rank(node: Any) -> int:
    """Rank of a node's value where the trace knows it, else 0."""
    known = node.meta if isinstance(node, fx.Node) else {}
    shape = getattr(known.get("val", known.get("tensor_meta")), "shape", ())
    return len(shape)


def _linear_parameters(module: fx.GraphModule, node: fx.Node) -> tuple[Any, Any] | None:
    """Weight and bias of a linear, None where the node is something else."""
    if node.op == "call_function" and node.target is F.linear:
        given = dict(zip(("input", "weight", "bias"), node.args, strict=False)) | node.kwargs
        return given["weight"], given.get("bias")
    if node.op != "call_module":
        return None
    called = module.get_submodule(str(node.target))
    if type(called) is not nn.Linear:
        return None
    weight = module.graph.get_attr(f"{node.target}.weight")
    return weight, None if called.bias is None else module.graph.get_attr(f"{node.target}.bias")


def _replace(node: fx.Node, new: fx.Node) -> None:
    """Puts a node in the place of another, and removes swaps that nothing reads any more."""
    new.meta = dict(node.meta)
    node.replace_all_uses_with(new)
    swaps = [value for value in node.all_input_nodes if _swapped(value) is not None]
    node.graph.erase_node(node)
    for swap in swaps:
        if not swap.users:
            swap.graph.erase_node(swap)
