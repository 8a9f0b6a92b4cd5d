"""Passes over the FX graph of aten ops that users add; the compiler's own run in C++ afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch.fx import GraphModule

from torch_tensorrt._Input import kind_of

Pass = Callable[[GraphModule, Any], GraphModule]

_passes: list[Pass] = []


def _aten_lowering_pass(function: Pass | None = None, index: int | None = None) -> Any:
    """Decorates a pass that every later compilation runs.

    Args:
        function: takes a graph of aten ops and the compile settings (attributes by name), and
            returns the graph to go on with.
        index: its place among the passes; the last where it is left out.

    >>> from torch_tensorrt.dynamo.lowering import _aten_lowering_pass, _remove_lowering_pass
    >>> @_aten_lowering_pass
    ... def count_nodes(gm, settings):
    ...     return gm
    >>> _remove_lowering_pass(index=-1)
    """

    def decorate(decorated: Pass) -> Pass:
        _passes.insert(len(_passes) if index is None else index, decorated)
        return decorated

    return decorate(function) if function is not None else decorate


def _remove_lowering_pass(*, index: int) -> None:
    """Removes the pass at that place.

    Raises:
        IndexError: there is none.
    """
    _passes.pop(index)


def dump_lowering_passes() -> str:
    """The names of the passes, in order, a line each."""
    return "\n".join(f"{index}: {p.__module__}.{p.__qualname__}" for index, p in enumerate(_passes))


def run_passes(module: GraphModule, settings: Any) -> GraphModule:
    """All passes, one after the other."""
    for function in _passes:
        module = function(module, settings)
        if not isinstance(module, GraphModule):
            raise TypeError(
                f"[lowering] the pass {function.__qualname__} returned {kind_of(module)}, "
                "expected a torch.fx.GraphModule"
            )
    if _passes:
        module.graph.lint()
        module.recompile()
    return module
