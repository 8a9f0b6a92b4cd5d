"""A traced graph as pieces that torch.export captures, and the nodes that it refuses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import fx
from torch.utils import _pytree as pytree

from torch_tensorrt import _C
from torch_tensorrt._Input import Input
from torch_tensorrt._program.places import place_of
from torch_tensorrt.fx._groups import ACC_PREFIX, group, host_nodes, split, submodule_inputs
from torch_tensorrt.fx._inputs import any_dynamic, at_point, examples
from torch_tensorrt.fx._lowering import CaptureError, Lowered, lower, named


@dataclass
class Captured:
    """What became of a traced graph.

    Attributes:
        pieces: the lowered pieces, by the name of their submodule in `module`; "" is the whole.
        refused: why a node is in no piece, by the node's name.
        module: the graph cut into submodules; none where the whole graph is one piece.
    """

    pieces: dict[str, Lowered]
    refused: dict[str, CaptureError] = field(default_factory=dict)
    module: fx.GraphModule | None = None


def capture(traced: fx.GraphModule, inputs: tuple[Any, ...]) -> Captured:
    """Lowers the whole graph, or what torch.export takes of it.

    Args:
        traced: the graph.
        inputs: as `to_inputs` gives them.

    Raises:
        ValueError: the model fixes a dimension that `inputs` let vary.
    """
    try:
        return Captured({"": lower(traced, inputs)})
    except CaptureError as error:
        refused = {error.node.name: error}
        _check_ranges(traced, inputs, error)
    args = examples(inputs, traced)
    of_sizes, of_data = host_nodes(traced, args)
    done: dict[tuple[str, ...], Lowered] = {}
    while True:
        groups = group(traced.graph, lambda n: n.name not in refused, of_sizes, of_data)
        module = split(traced, groups.names, of_sizes)
        try:
            pieces = _lower_pieces(module, inputs, done)
        except CaptureError as error:
            refused[error.node.name] = error
            continue
        for refusal in refused.values():
            _C.log(_C.LogLevel.Info, f"a node stays in PyTorch: {refusal}")
        return Captured(pieces, refused, module)


def _check_ranges(traced: fx.GraphModule, inputs: tuple[Any, ...], error: CaptureError) -> None:
    """Raises where it is only the dynamic dimensions that torch.export refuses."""
    if not any_dynamic(inputs):
        return
    try:
        lower(traced, at_point(inputs, "opt_shape"))
    except CaptureError:
        return
    raise ValueError(
        f"{error}; with fixed shapes it can be captured, so its code fixes a size that the inputs "
        "let vary; give fixed shapes, change the model, or see "
        "torch_tensorrt.fx.tools.batch_revision"
    ) from error


def refused_entry(error: CaptureError) -> dict[str, Any]:
    """The report's entry for a node that torch.export refused."""
    place = place_of(error.node)
    return {
        "op": named(error.node),
        "engine": -1,
        "code": "capture",
        "reason": f"torch.export cannot capture it: {error.reason}",
        "location": place.location or error.location.partition(" ")[0],
        "module": place.scope,
    }


def _lower_pieces(
    module: fx.GraphModule, inputs: tuple[Any, ...], done: dict[tuple[str, ...], Lowered]
) -> dict[str, Lowered]:
    given = _piece_inputs(module, inputs)
    pieces = {}
    for name, child in module.named_children():
        if name.startswith(ACC_PREFIX):
            assert isinstance(child, fx.GraphModule)
            key = tuple(node.name for node in child.graph.nodes)
            if key not in done:
                done[key] = lower(child, given[name])
            pieces[name] = done[key]
    return pieces


def _piece_inputs(module: fx.GraphModule, inputs: tuple[Any, ...]) -> dict[str, tuple[Any, ...]]:
    """The inputs of each piece: a dimension that differs between the smallest, usual and largest
    inputs is dynamic. What torch.export refuses can be run, but not analysed.
    """
    usual = submodule_inputs(module, examples(inputs, module))
    if not any_dynamic(inputs):
        return usual
    runs = [submodule_inputs(module, at_point(inputs, f"{p}_shape")) for p in ("min", "opt", "max")]
    return {name: pytree.tree_map(_range, *(run[name] for run in runs)) for name in usual}


def _range(low: Any, opt: Any, high: Any) -> Any:
    if not isinstance(opt, torch.Tensor):
        return opt
    if low.shape == high.shape:
        return opt
    smallest = [min(sizes) for sizes in zip(low.shape, opt.shape, high.shape, strict=True)]
    largest = [max(sizes) for sizes in zip(low.shape, opt.shape, high.shape, strict=True)]
    return Input(min_shape=smallest, opt_shape=opt.shape, max_shape=largest, dtype=opt.dtype)
