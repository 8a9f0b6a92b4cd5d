"""The arguments of a module in one form, whatever describes them: trees of torch_tensorrt.Input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.export import Dim
from torch.utils import _pytree as pytree

from torch_tensorrt._Input import Input, device_of, distinct
from torch_tensorrt._program import Ranges, SymbolRange
from torch_tensorrt.fx.input_tensor_spec import InputTensorSpec

_Value = bool | int | float | str | torch.dtype | None


class FixedDimensionError(ValueError):
    """A dimension was asked to be dynamic, and the model fixes it."""


def to_inputs(values: Sequence[Any]) -> tuple[Any, ...]:
    """One tree an argument: tensors and constants stay, specs and shapes become Inputs."""
    if isinstance(values, torch.Tensor | Input | InputTensorSpec) or not isinstance(
        values, Sequence
    ):
        raise ValueError("inputs is no list, expected a list with one element per argument")
    return tuple(pytree.tree_map(_to_input, value, is_leaf=_is_leaf) for value in values)


def _is_leaf(value: Any) -> bool:
    return isinstance(value, InputTensorSpec | torch.Size) or (
        isinstance(value, tuple | list) and bool(value) and all(type(v) is int for v in value)
    )


def _to_input(value: Any) -> Any:
    if isinstance(value, InputTensorSpec):
        return value.to_input()
    if _is_leaf(value):
        return Input(value)
    if not isinstance(value, torch.Tensor | Input | _Value):
        raise ValueError(
            f"an input is {value!r}, expected a tensor, an InputTensorSpec, a "
            "torch_tensorrt.Input, a shape, a number, a str, None, or a tuple, list or dict of them"
        )
    return value


def any_dynamic(inputs: tuple[Any, ...]) -> bool:
    """May any dimension of any input vary?"""
    leaves = [leaf for leaf in pytree.tree_leaves(inputs) if isinstance(leaf, Input)]
    return any(leaf.min_shape != leaf.max_shape for leaf in leaves)


def examples(inputs: tuple[Any, ...], module: torch.nn.Module) -> tuple[Any, ...]:
    """Tensors to trace the module with, where its weights are."""
    device = device_of(module)
    return distinct(
        pytree.tree_map(
            lambda v: v._to_trace_with().to(device) if isinstance(v, Input) else v, inputs
        )
    )


def at_point(inputs: tuple[Any, ...], field: str) -> tuple[Any, ...]:
    """Random tensors of the "min_shape", "opt_shape" or "max_shape"."""
    return pytree.tree_map(
        lambda v: v._random(getattr(v, field)) if isinstance(v, Input) else v, inputs
    )


def dynamic_shapes(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The dynamic dimensions as torch.export takes them."""
    return pytree.tree_map(_dynamic, inputs)


def _dynamic(value: Any) -> dict[int, Any] | None:
    if isinstance(value, Input):
        axes = range(len(value.min_shape))
        return {axis: Dim.AUTO for axis in axes if value._is_dynamic(axis)}
    return {} if isinstance(value, torch.Tensor) else None


def symbol_ranges(values: list[Any], inputs: tuple[Any, ...]) -> Ranges:
    """The ranges that `inputs` give to the symbolic sizes of a graph's fake inputs.

    Raises:
        FixedDimensionError: a size that may vary is no symbol.
    """
    ranges: Ranges = {}
    for index, (leaf, value) in enumerate(zip(pytree.tree_leaves(inputs), values, strict=True)):
        if not isinstance(leaf, Input):
            continue
        for axis, size in enumerate(value.shape):
            wanted = SymbolRange(leaf.min_shape[axis], leaf.opt_shape[axis], leaf.max_shape[axis])
            # A symbol that turned out to have one value stays a SymInt.
            if not isinstance(size, torch.SymInt) or not size.node.expr.free_symbols:
                if wanted.min != wanted.max:
                    raise FixedDimensionError(
                        f"[capture] input {leaf.name or index}: dimension {axis} is asked to be "
                        f"{wanted.min}..{wanted.max}, but the model fixes it to {int(size)} (a "
                        "size in its code is a constant, or it branches on the size); give a fixed "
                        "shape, change the model, or see torch_tensorrt.fx.tools.batch_revision"
                    )
            elif size.node.expr.is_Symbol:  # one like 2*s0 follows from the symbol's
                known = ranges.get(size.node.expr, wanted)
                low, high = max(known.min, wanted.min), min(known.max, wanted.max)
                opt = min(max(known.opt, low), high)
                ranges[size.node.expr] = SymbolRange(low, opt, high)
    return ranges
