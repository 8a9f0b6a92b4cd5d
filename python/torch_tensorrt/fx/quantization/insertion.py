"""Put observers into a graph, and run it over data."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import fx, nn

from torch_tensorrt._Input import kind_of
from torch_tensorrt.fx._groups import CALLS, copy_graph
from torch_tensorrt.fx.quantization.observers import Observer

_PREFIX = "observer_"


class _Observed(nn.Module):
    """Passes a value on and shows it to an observer, if it is a floating tensor."""

    def __init__(self, observer: Observer) -> None:
        super().__init__()
        self.observer = observer
        self.seen = 0

    def forward(self, value: Any) -> Any:
        if isinstance(value, torch.Tensor) and value.is_floating_point():
            self.observer.observe(value.detach())
            self.seen += 1
        return value


def insert_observers(
    module: fx.GraphModule,
    observer_factory: Callable[[], Observer],
    where: Callable[[fx.Node], bool] | None = None,
) -> fx.GraphModule:
    """A copy of the graph in which observers see the values of its nodes.

    Args:
        module: what `fx.trace` gave; it is not changed.
        observer_factory: makes the observer of one node, such as `MinMaxObserver`.
        where: which nodes to observe; left out, all inputs and all that compute.

    Raises:
        TypeError: the factory gives something that is no `Observer`.
    """
    copy = copy_graph(module)
    for node in list(copy.graph.nodes):
        if node.op not in ("placeholder", *CALLS) or not (where is None or where(node)):
            continue
        observer = observer_factory()
        if not isinstance(observer, Observer):
            raise TypeError(
                f"observer_factory gave {kind_of(observer)}, expected an object with "
                "observe and ranges"
            )
        name = f"{_PREFIX}{node.name}"
        copy.add_submodule(name, _Observed(observer))
        behind = node
        while node.op == "placeholder" and behind.next.op == "placeholder":
            behind = behind.next
        with copy.graph.inserting_after(behind):
            watch = copy.graph.call_module(name, (node,))
        node.replace_all_uses_with(watch, lambda user, watch=watch: user is not watch)
    copy.recompile()
    return copy


def observers_of(module: fx.GraphModule) -> dict[str, Observer]:
    """The observers that `insert_observers` put in, by the name of the node that they watch."""
    return {
        name.removeprefix(_PREFIX): child.observer
        for name, child in module.named_children()
        if isinstance(child, _Observed)
    }


def collect(module: fx.GraphModule, data: Iterable[Any]) -> dict[str, tuple[float, float]]:
    """Runs an observed graph over data.

    Args:
        module: what `insert_observers` gave.
        data: one element a call: a tensor, or a tuple or list of all arguments.

    Returns:
        The range of each node that gave a floating tensor, by its name. Calls add up.

    Raises:
        ValueError: the graph has no observers.
    """
    if not observers_of(module):
        raise ValueError("the graph has no observers, expected what insert_observers gave")
    with torch.no_grad():
        for each in data:
            module(*each) if isinstance(each, tuple | list) else module(each)
    return {
        name.removeprefix(_PREFIX): child.observer.ranges()
        for name, child in module.named_children()
        if isinstance(child, _Observed) and child.seen
    }
