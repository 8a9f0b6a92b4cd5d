"""Find what holds the batch in a traced graph: by running it for another batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import fx
from torch.fx.node import map_aggregate
from torch.utils import _pytree as pytree

from torch_tensorrt.fx._groups import CALLS
from torch_tensorrt.fx._writes import kept_state, name_of
from torch_tensorrt.fx.input_tensor_spec import _batch_dims, checked_tensors

_RESHAPES = {"view", "reshape", "_unsafe_view"}
# Functions among whose integers the batch may be, beside sizes that follow from the input's.
_SIZED = {
    "arange", "broadcast_to", "empty", "expand", "full", "getitem", "narrow", "new_empty",
    "new_full", "new_ones", "new_zeros", "ones", "rand", "randn", "repeat", "slice", "split",
    "tile", "unflatten", "zeros",
}  # fmt: skip
# A batch of 1 has strides that larger ones have not: torch.export finds a view there.
VIEW, RESHAPE = torch.ops.aten.view.default, torch.ops.aten.reshape.default
_ATTEMPTS = 200
_ATOL = _RTOL = 1e-3

# An integer of a graph: the name of its node, and how many leaves of its arguments stand before it.
Spot = tuple[str, int]
# The place of a choice that is about a whole constant.
_WHOLE = -1


@dataclass
class Holders:
    """What holds the batch.

    Attributes:
        integers: arguments of calls, as multiples of the batch.
        constants: the axis of constant tensors whose elements are all equal along it, by the name
            of the node that reads them.
    """

    integers: dict[Spot, int] = field(default_factory=dict)
    constants: dict[str, int] = field(default_factory=dict)


class Recorded:
    """A graph with the shapes and results that it has for its batch."""

    def __init__(self, module: fx.GraphModule, inputs: list[torch.Tensor]) -> None:
        self.module, self.inputs = module, checked_tensors("inputs", inputs)
        self.dims = _batch_dims(inputs)
        if 0 not in self.dims:
            raise ValueError("no input has a dimension, expected one with the batch in front")
        self.batch_input = self.dims.index(0)
        self.batch = inputs[self.batch_input].shape[0]
        if self.batch < 1:
            raise ValueError("the batch of inputs is 0, expected at least 1")
        self.shapes: dict[str, tuple[int, ...]] = {}
        shapes = self.shapes

        class Run(fx.Interpreter):
            def run_node(self, n: fx.Node) -> Any:
                result = super().run_node(n)
                if isinstance(result, torch.Tensor):
                    shapes[n.name] = tuple(result.shape)
                return result

        with torch.no_grad(), kept_state(module):
            self.results = Run(module).run(*inputs)

    def repeated(self, batch: int) -> list[torch.Tensor]:
        """The inputs with another batch: their elements again and again."""
        rows = torch.arange(batch) % self.batch
        return [
            tensor if dim < 0 else tensor[rows.to(tensor.device)]
            for tensor, dim in zip(self.inputs, self.dims, strict=True)
        ]

    def mismatch(self, results: Any, batch: int) -> str:
        """What is wrong with the results of the repeated inputs; empty where nothing is."""
        ours, structure = pytree.tree_flatten(results)
        theirs, expected = pytree.tree_flatten(self.results)
        if structure != expected:
            return f"the graph returns {structure}, expected {expected}"
        for index, (new, old) in enumerate(zip(ours, theirs, strict=True)):
            if not isinstance(old, torch.Tensor):
                continue
            options = list(self._expected(old, new, batch))
            if not options:
                return f"result {index} has the shape {tuple(new.shape)}, was {tuple(old.shape)}"
            if not any(torch.allclose(new, o, _RTOL, _ATOL, equal_nan=True) for o in options):
                return f"result {index} is not that of the single elements"
        return ""

    def _expected(self, old: torch.Tensor, new: torch.Tensor, batch: int) -> Iterator[torch.Tensor]:
        """What the result may be: the batch is the outer or the inner part of one dimension."""
        if old.dim() != new.dim():
            return
        changed = [axis for axis in range(old.dim()) if old.shape[axis] != new.shape[axis]]
        if not changed:
            # Nothing of the batch is in it, or the batch is the same.
            yield old if batch == self.batch else new
        elif len(changed) == 1:
            (axis,) = changed
            size = old.shape[axis]
            if size % self.batch == 0 and new.shape[axis] == size // self.batch * batch:
                each = size // self.batch
                rows = torch.arange(batch, device=old.device) % self.batch
                outer = old.unflatten(axis, (self.batch, each)).index_select(axis, rows)
                yield outer.flatten(axis, axis + 1)
                inner = old.unflatten(axis, (each, self.batch)).index_select(axis + 1, rows)
                yield inner.flatten(axis, axis + 1)


@dataclass
class _Attempt:
    """One way to decide which integers hold the batch.

    Attributes:
        chosen: which option was taken at a spot; 0 where nothing is said.
        options: how many there are at each spot that a run met.
        holders: what holds the batch then.
    """

    chosen: dict[Spot, int]
    options: dict[Spot, int] = field(default_factory=dict)
    holders: Holders = field(default_factory=Holders)

    def choose(self, spot: Spot, count: int) -> int:
        self.options[spot] = count
        return self.chosen.get(spot, 0) % count


def find_holders(old: Recorded) -> Holders:
    """What holds the batch: the first choice with which the graph runs for another
    batch and gives what it should.
    """
    batch = 2 * old.batch + 1
    waiting: list[dict[Spot, int]] = [{}]
    tried: set[tuple[tuple[Spot, int], ...]] = set()
    problem = ""
    while waiting and len(tried) < _ATTEMPTS:
        attempt = _Attempt(waiting.pop(0))
        tried.add(tuple(sorted(attempt.chosen.items())))
        run = _Trial(old, attempt, batch)
        try:
            with torch.no_grad(), kept_state(old.module):
                wrong = old.mismatch(run.run(*old.repeated(batch)), batch)
        except (RuntimeError, ValueError, IndexError, TypeError) as error:
            wrong = f"{run.current}: {str(error).splitlines()[0]}"
        if not wrong:
            return attempt.holders
        problem = problem or wrong
        # The integers nearest to the failure first.
        for spot, count in reversed(attempt.options.items()):
            for option in range(1, count):
                more = {**attempt.chosen, spot: option}
                if spot not in attempt.chosen and tuple(sorted(more.items())) not in tried:
                    waiting.append(more)
    raise ValueError(
        f"the batch of {old.batch} cannot be changed: {problem}; trace the model with sizes that "
        "it reads from its inputs"
    )


class _Trial(fx.Interpreter):
    """Runs a graph for another batch and replaces what holds it on the way."""

    def __init__(self, old: Recorded, attempt: _Attempt, batch: int) -> None:
        super().__init__(old.module)
        self.old, self.attempt, self.batch = old, attempt, batch
        self.current = ""

    def run_node(self, n: fx.Node) -> Any:
        self.current = n.name
        if n.op == "get_attr":
            return self._constant(n, super().run_node(n))
        if n.op not in CALLS or n.op == "call_module":
            return super().run_node(n)
        multiples = self._holders(n)
        self.attempt.holders.integers.update(multiples)
        env = self.env

        def value(index: int, leaf: Any) -> Any:
            if isinstance(leaf, fx.Node):
                return env[leaf]
            known = multiples.get((n.name, index))
            return leaf if known is None else known * self.batch

        args, kwargs = mapped((n.args, n.kwargs), value)
        return getattr(self, n.op)(RESHAPE if n.target is VIEW else n.target, args, kwargs)

    def _constant(self, node: fx.Node, value: Any) -> Any:
        """A constant for the other batch: zeros(4, 1) is one where tracing has computed it."""
        if not isinstance(value, torch.Tensor):
            return value
        axes = [
            axis
            for axis in range(value.dim())
            if value.shape[axis] == self.old.batch
            and bool((value == value.narrow(axis, 0, 1)).all())
        ]
        if not axes:
            return value
        # What the model has itself, such as a bias, and what broadcasts is rather something else.
        traced = "tensor_constant" in str(node.target) and self.old.batch > 1
        options = [*axes, -1] if traced else [-1, *axes]
        axis = options[self.attempt.choose((node.name, _WHOLE), len(options))]
        if axis < 0:
            return value
        self.attempt.holders.constants[node.name] = axis
        return value.narrow(axis, 0, 1).repeat(repeats(value.dim(), axis, self.batch))

    def _holders(self, node: fx.Node) -> dict[Spot, int]:
        name = name_of(node)
        leaves = _leaves(node)
        if name in _RESHAPES and len(leaves) - 1 == len(self.old.shapes.get(node.name, ())):
            return self._reshaped(node, leaves)
        if name not in _SIZED and name not in _RESHAPES:
            return {}
        found = {}
        for index, leaf in enumerate(leaves):
            multiple = self._multiple(leaf)
            spot = (node.name, index)
            if multiple and self.attempt.choose(spot, 2) == self._is_unlikely(node, index, leaves):
                found[spot] = multiple
        return found

    def _multiple(self, leaf: Any) -> int:
        """How often the batch is in an integer; 0 where it is not."""
        if type(leaf) is not int or leaf <= 0 or leaf % self.old.batch:
            return 0
        multiple = leaf // self.old.batch
        return multiple if self.old.batch > 1 or multiple == 1 else 0

    def _is_unlikely(self, node: fx.Node, index: int, leaves: list[Any]) -> int:
        """1 where an integer is at first taken for something else than the batch."""
        first = next((i for i, leaf in enumerate(leaves) if type(leaf) is int), -1)
        sizes = name_of(node) not in ("arange", "getitem", "narrow", "slice", "split")
        return int(not (sizes and index == first and leaves[index] == self.old.batch))

    def _reshaped(self, node: fx.Node, leaves: list[Any]) -> dict[Spot, int]:
        """The size that grows with the batch, from the dimensions of the input that grew."""
        source, sizes = leaves[0], leaves[1:]
        before = self.old.shapes[source.name]
        after = tuple(self.env[source].shape)
        shape = self.old.shapes[node.name]
        found: dict[Spot, int] = {}
        for ins, outs in _aligned(before, shape):
            if [before[i] for i in ins] == [after[i] for i in ins]:
                continue
            options = [o for o in outs if shape[o] % self.old.batch == 0]
            if not options:
                continue
            position = options[self.attempt.choose((node.name, _WHOLE - 1 - outs[0]), len(options))]
            if type(sizes[position]) is int and sizes[position] >= 0:
                found[(node.name, position + 1)] = shape[position] // self.old.batch
        return found


def _aligned(
    before: tuple[int, ...], after: tuple[int, ...]
) -> Iterator[tuple[list[int], list[int]]]:
    """Runs of dimensions of a tensor and its reshape that have the same number of elements."""
    i = j = 0
    while i < len(before) and j < len(after):
        ins, outs = [i], [j]
        left, right = before[i], after[j]
        while left != right:
            if left < right and i + 1 < len(before):
                i += 1
                ins.append(i)
                left *= before[i]
            elif j + 1 < len(after):
                j += 1
                outs.append(j)
                right *= after[j]
            else:
                break
        i, j = i + 1, j + 1
        yield ins, outs


def mapped(value: Any, function: Callable[[int, Any], Any]) -> Any:
    """Arguments with each leaf replaced; the function gets its number and the leaf."""
    count = 0

    def leaf(each: Any) -> Any:
        nonlocal count
        count += 1
        return function(count - 1, each)

    return map_aggregate(value, leaf)


def _leaves(node: fx.Node) -> list[Any]:
    found: list[Any] = []
    mapped((node.args, node.kwargs), lambda _, leaf: found.append(leaf))
    return found


def repeats(rank: int, axis: int, count: Any) -> list[Any]:
    """The arguments of Tensor.repeat for one axis."""
    return [count if each == axis else 1 for each in range(rank)]
