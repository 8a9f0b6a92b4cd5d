"""PassManager: passes in order, each checked by running the graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import fx
from torch.utils import _pytree as pytree

from torch_tensorrt import _C
from torch_tensorrt._Input import kind_of
from torch_tensorrt.fx._groups import copy_graph
from torch_tensorrt.fx._writes import kept_state

Pass = Callable[[fx.GraphModule], Any]


class PassManager:
    """Runs passes in order.

    A pass takes a graph module and returns the new one, or None where it changed it in place, or a
    torch.fx PassResult.

    Args:
        passes: the passes.
        constraints: functions (first, second) -> bool of two passes in this order; False for any
            pair means that the order is wrong.

    Raises:
        ValueError: the order breaks a constraint; the message names both passes.

    >>> import torch, torch_tensorrt
    >>> from torch_tensorrt.fx.passes import PassManager, fold_conv_bn
    >>> model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 1), torch.nn.BatchNorm2d(4)).eval()
    >>> traced = torch_tensorrt.fx.trace(model, [torch.ones(1, 3, 2, 2)])
    >>> folded = PassManager([fold_conv_bn])(traced)
    >>> [str(node) for node in folded.graph.nodes]
    ['input_1', '_0', 'output']
    """

    def __init__(
        self,
        passes: Iterable[Pass] = (),
        constraints: Iterable[Callable[[Pass, Pass], bool]] = (),
    ) -> None:
        self.passes, self.constraints = list(passes), list(constraints)
        self.validate()

    @classmethod
    def build_from_passlist(cls, passes: Iterable[Pass]) -> PassManager:
        """A manager of these passes."""
        return cls(passes)

    def add_pass(self, new: Pass, before: str | None = None) -> None:
        """Adds a pass behind all others, or before the one of that name."""
        index = len(self.passes) if before is None else self._index(before)
        self.passes.insert(index, new)
        self.validate()

    def remove_pass(self, name: str) -> None:
        """Removes the pass of that name."""
        del self.passes[self._index(name)]

    def add_constraint(self, constraint: Callable[[Pass, Pass], bool]) -> None:
        """Adds a constraint on the order of two passes."""
        self.constraints.append(constraint)
        self.validate()

    def validate(self) -> None:
        """Checks the order.

        Raises:
            ValueError: it breaks a constraint.
        """
        for index, first in enumerate(self.passes):
            for second in self.passes[index + 1 :]:
                if not all(constraint(first, second) for constraint in self.constraints):
                    raise ValueError(
                        f"pass {pass_name(first)} stands before {pass_name(second)}, which a "
                        "constraint forbids"
                    )

    def __call__(self, module: fx.GraphModule) -> fx.GraphModule:
        """The module after all passes."""
        for each in self.passes:
            module, _ = _applied(each, module)
        return module

    def run_checked(
        self, module: fx.GraphModule, inputs: Sequence[Any], atol: float, rtol: float
    ) -> fx.GraphModule:
        """As a call, and compares the results of the graph before and after each pass that changed
        it.

        Args:
            module: the graph.
            inputs: what to run it with.
            atol: how far results may differ, as in torch.allclose.
            rtol: the same, relative.

        Raises:
            RuntimeError: a pass changes results; the message names it and how far they are apart.
        """
        for each in self.passes:
            module = run_checked(each, module, inputs, atol, rtol)
        return module

    def _index(self, name: str) -> int:
        names = [pass_name(each) for each in self.passes]
        if name not in names:
            raise ValueError(f"there is no pass {name!r}, expected one of {', '.join(names)}")
        return names.index(name)


def pass_name(function: Any) -> str:
    """What messages call a pass."""
    return getattr(function, "__name__", type(function).__name__)


def run_checked(
    function: Pass, module: fx.GraphModule, inputs: Sequence[Any], atol: float, rtol: float
) -> fx.GraphModule:
    """One pass, or a PassManager's, as `PassManager.run_checked` runs it."""
    if isinstance(function, PassManager):
        return function.run_checked(module, inputs, atol, rtol)
    before = copy_graph(module)
    result, changed = _applied(function, module)
    if not changed:
        return result
    _C.log(_C.LogLevel.Debug, f"pass {pass_name(function)} changed the graph")
    with torch.no_grad():
        with kept_state(before):
            expected = before(*_cloned(inputs))
        with kept_state(result):
            got = result(*_cloned(inputs))
    _compare(pass_name(function), got, expected, atol, rtol)
    return result


def _applied(function: Pass, module: fx.GraphModule) -> tuple[fx.GraphModule, bool]:
    code = module.code
    result = function(module)
    if result is None:
        result = module
    result = getattr(result, "graph_module", result)
    if not isinstance(result, fx.GraphModule):
        raise TypeError(
            f"pass {pass_name(function)} returned {kind_of(result)}, expected a "
            "torch.fx.GraphModule or None"
        )
    result.graph.lint()
    result.recompile()
    return result, result is not module or result.code != code


def _cloned(inputs: Sequence[Any]) -> Any:
    """Inputs that a graph may write into."""
    return pytree.tree_map_only(torch.Tensor, torch.clone, tuple(inputs))


def _compare(name: str, got: Any, expected: Any, atol: float, rtol: float) -> None:
    ours, structure = pytree.tree_flatten(got)
    theirs, wanted = pytree.tree_flatten(expected)
    if structure != wanted:
        raise RuntimeError(f"pass {name} changes what the graph returns: {structure}, was {wanted}")
    for index, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        if not isinstance(b, torch.Tensor):
            continue
        if (a.shape, a.dtype) != (b.shape, b.dtype):
            raise RuntimeError(
                f"pass {name} changes result {index} to {a.dtype} {tuple(a.shape)}, was {b.dtype} "
                f"{tuple(b.shape)}"
            )
        if not torch.allclose(a, b, atol=atol, rtol=rtol, equal_nan=True):
            worst = (a.double() - b.double()).abs().max().item()
            raise RuntimeError(
                f"pass {name} changes result {index} by up to {worst:.3g}, which is more than "
                f"atol {atol} and rtol {rtol} allow"
            )
