"""Change the batch that a traced graph holds as a constant, or make it dynamic.

Tracing turns sizes into constants where the code computes with them: `x.view(4, -1)` works for
batches of 4 alone. Here the constants that hold the batch are found, replaced, and the new graph is
compared with the old one.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import fx

from torch_tensorrt.fx._groups import CALLS, copy_graph
from torch_tensorrt.fx._writes import kept_state
from torch_tensorrt.fx.tools._batch_search import (
    RESHAPE,
    VIEW,
    Holders,
    Recorded,
    find_holders,
    mapped,
    repeats,
)


def change_batch(
    module: fx.GraphModule, inputs: Sequence[torch.Tensor], batch: int
) -> fx.GraphModule:
    """The graph for another batch.

    Args:
        module: a symbolic or aten graph; it is not changed.
        inputs: tensors of the batch that it was traced with. The batch is dimension 0 of all that
            have the first one's size there.
        batch: the new batch.

    Raises:
        ValueError: no choice of constants gives a graph whose results for repeated inputs are the
            repeated results, as where the model mixes the elements of a batch.

    >>> import torch, torch_tensorrt
    >>> from torch_tensorrt.fx.tools.batch_revision import change_batch
    >>> class Flat(torch.nn.Module):
    ...     def forward(self, x):
    ...         return x.view(2, -1)
    >>> traced = torch_tensorrt.fx.trace(Flat(), [torch.ones(2, 3, 4)])
    >>> change_batch(traced, [torch.ones(2, 3, 4)], 5)(torch.ones(5, 3, 4)).shape
    torch.Size([5, 12])
    """
    if batch < 1:
        raise ValueError(f"batch is {batch}, expected at least 1")
    old = Recorded(module, list(inputs))
    copy = copy_graph(module)
    _rewrite(copy, find_holders(old), lambda multiple: multiple * batch)
    _check(copy, old, batch)
    return copy


def make_batch_dynamic(module: fx.GraphModule, inputs: Sequence[torch.Tensor]) -> fx.GraphModule:
    """The graph for any batch; the arguments are those of `change_batch`.

    >>> import torch, torch_tensorrt
    >>> from torch_tensorrt.fx.tools.batch_revision import make_batch_dynamic
    >>> class Flat(torch.nn.Module):
    ...     def forward(self, x):
    ...         return x.view(2, -1)
    >>> traced = torch_tensorrt.fx.trace(Flat(), [torch.ones(2, 3, 4)])
    >>> dynamic = make_batch_dynamic(traced, [torch.ones(2, 3, 4)])
    >>> [dynamic(torch.ones(n, 3, 4)).shape[0] for n in (1, 2, 7)]
    [1, 2, 7]
    """
    old = Recorded(module, list(inputs))
    copy = copy_graph(module)
    sizes = _Sizes(copy.graph, old.batch_input)
    _rewrite(copy, find_holders(old), sizes.times)
    for batch in (old.batch, 2 * old.batch, 2 * old.batch + 1):
        _check(copy, old, batch)
    return copy


def _rewrite(
    module: fx.GraphModule, holders: Holders, times: Callable[[int], fx.Node | int]
) -> None:
    """Replaces the batch by what `times` gives for each multiple of it."""
    graph = module.graph
    for node in list(graph.nodes):
        # Fake values are those of the old batch.
        node.meta.pop("val", None)
        node.meta.pop("tensor_meta", None)

        def value(index: int, leaf: Any, name: str = node.name) -> Any:
            multiple = holders.integers.get((name, index))
            return leaf if multiple is None else times(multiple)

        if node.target is VIEW:
            node.target = RESHAPE
        if node.op in CALLS:
            node.args, node.kwargs = mapped((node.args, node.kwargs), value)
        if node.name in holders.constants:
            _repeat_constant(module, node, holders.constants[node.name], times(1))
    graph.lint()
    module.recompile()


def _repeat_constant(
    module: fx.GraphModule, node: fx.Node, axis: int, batch: fx.Node | int
) -> None:
    constant = module
    for name in str(node.target).split("."):
        constant = getattr(constant, name)
    assert isinstance(constant, torch.Tensor)
    single = f"_single_{node.name}"
    module.register_buffer(single, constant.narrow(axis, 0, 1).clone())
    with module.graph.inserting_after(node):
        read = module.graph.get_attr(single)
    arguments = (read, repeats(constant.dim(), axis, batch))
    with module.graph.inserting_after(read):
        if _is_aten(module.graph):
            new = module.graph.call_function(torch.ops.aten.repeat.default, arguments)
        else:
            new = module.graph.call_method("repeat", arguments)
    node.replace_all_uses_with(new)
    module.graph.erase_node(node)


def _is_aten(graph: fx.Graph) -> bool:
    return any(isinstance(node.target, torch._ops.OpOverload) for node in graph.nodes)


class _Sizes:
    """Nodes for the batch and its multiples, each made once, where it is needed."""

    def __init__(self, graph: fx.Graph, batch_input: int) -> None:
        self.graph = graph
        placeholders = graph.find_nodes(op="placeholder")
        self.source, self.last = placeholders[batch_input], placeholders[-1]
        self.aten = _is_aten(graph)
        self.made: dict[int, fx.Node] = {}

    def times(self, multiple: int) -> fx.Node:
        if multiple not in self.made:
            behind = self.last if multiple == 1 else self.times(1)
            with self.graph.inserting_after(behind):
                if multiple > 1:
                    arguments = (self.times(1), multiple)
                    made = self.graph.call_function(operator.mul, arguments)
                elif self.aten:
                    made = self.graph.call_function(torch.ops.aten.sym_size.int, (self.source, 0))
                else:
                    made = self.graph.call_method("size", (self.source, 0))
            self.made[multiple] = made
        return self.made[multiple]


def _check(module: fx.GraphModule, old: Recorded, batch: int) -> None:
    try:
        with torch.no_grad(), kept_state(module):
            wrong = old.mismatch(module(*old.repeated(batch)), batch)
    except (RuntimeError, IndexError) as error:
        wrong = str(error).splitlines()[0]
    if wrong:
        raise ValueError(f"the batch of {old.batch} cannot become {batch}: {wrong}")
