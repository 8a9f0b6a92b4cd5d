"""A node of the compiler's Graph as the torch.fx node that validators expect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import fx

from torch_tensorrt import _C


def fx_node(node: _C.Node, target: torch._ops.OpOverload) -> fx.Node:
    """The node on its own: a call of `target` whose operands are placeholders.

    `args` and `kwargs` have every argument of the schema, defaults included. A tensor or a number
    that the graph computes is a node with `meta["val"]`, an example (tensors on the meta device at
    the usual size), and `meta["shape"]`, a tensor's sizes with -1 where they differ from call to
    call. Weights are get_attr nodes whose `meta["val"]` is the tensor. The call's own `meta` has
    the same of its results, and `location` and `scope`, its place in the model.
    """
    graph = fx.Graph()

    def operand(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [operand(element) for element in value]
        if isinstance(value, _C.Var):
            made = graph.placeholder(value.name or f"v{value.id}")
            made.meta.update(_meta(value))
            return made
        if isinstance(value, torch.Tensor):
            made = graph.create_node("get_attr", "constant")
            made.meta.update(val=value, shape=tuple(value.shape))
            return made
        return value

    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    for declared, value in zip(target._schema.arguments, node.args, strict=True):
        if declared.kwarg_only:
            kwargs[declared.name] = operand(value)
        else:
            args.append(operand(value))
    call = graph.call_function(target, tuple(args), kwargs)
    results = [_meta(var) for var in node.outputs]
    one = len(results) == 1
    call.meta["val"] = results[0]["val"] if one else tuple(r["val"] for r in results)
    call.meta["shape"] = results[0]["shape"] if one else tuple(r["shape"] for r in results)
    call.meta.update(location=node.location, scope=node.scope)
    return call


def has_dynamic_input(node: fx.Node) -> bool:
    """Does a size of an operand, or a number, differ from call to call?"""
    return any(operand.meta.get("dynamic") for operand in node.all_input_nodes)


def _meta(var: _C.Var) -> dict[str, Any]:
    samples = samples_of(var)
    return _described(samples) if samples else {"val": None, "shape": None, "dynamic": False}


def _described(samples: Sequence[Any]) -> dict[str, Any]:
    usual = samples[min(1, len(samples) - 1)]
    if isinstance(usual, torch.Tensor):
        shape = tuple(
            size if all(s.shape[axis : axis + 1] == (size,) for s in samples) else -1
            for axis, size in enumerate(usual.shape)
        )
        return {"val": usual, "shape": shape, "dynamic": -1 in shape}
    if isinstance(usual, list | tuple):
        parts = [_described(elements) for elements in zip(*samples, strict=False)]
        return {
            "val": [part["val"] for part in parts],
            "shape": [part["shape"] for part in parts],
            "dynamic": any(part["dynamic"] for part in parts),
        }
    return {"val": usual, "shape": None, "dynamic": any(s != usual for s in samples)}


def samples_of(var: _C.Var) -> Sequence[Any] | None:
    """What the value is at the smallest, usual, largest size and at some between, where known."""
    if not hasattr(var, "samples"):
        raise RuntimeError(
            "torch_tensorrt._C is older than this package: its Var has no 'samples'; rebuild it"
        )
    samples: list[Any] | None = var.samples
    return samples
