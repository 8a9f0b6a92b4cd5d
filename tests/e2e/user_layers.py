"""Rows that try one layer of ctx.net: a converter, what it should compute, and inputs.

    @layer_rows(
        ("softmax", L("add_softmax", axes=0b10), lambda x: torch.softmax(x, 1), N),
    )
    def test_softmax(row, engine):
        row.check(engine)

Each row becomes an op of its own; the rows of a test are compiled together and, with `Dyn` inputs,
run at four sizes.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch_tensorrt
from ops.harness import ENGINES, Dyn, Spec, T
from torch.utils import _pytree as pytree
from torch_tensorrt.dynamo.conversion import DYNAMO_CONVERTERS, dynamo_tensorrt_converter, trt

N = Dyn((1, 6), (3, 6), (5, 6))
NC = Dyn((1, 4, 6), (2, 4, 6), (3, 4, 6))
IMAGE = Dyn((1, 4, 6, 8), (2, 4, 6, 8), (3, 4, 6, 8))
FIXED = T(3, 6)
FLAGS = Dyn((1, 6), (3, 6), (5, 6), dtype=torch.bool)
INTEGERS = Dyn((1, 6), (3, 6), (5, 6), dtype=torch.int64)

_library = torch.library.Library("user_layers", "DEF")
_numbers = itertools.count()
_generator = torch.Generator().manual_seed(0)


def weights(*shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=_generator) - 0.4


def out(layer: Any, index: int = 0, inputs: dict[int, Any] | None = None, **attributes: Any) -> Any:
    """One output of the layer with these attributes, and inputs by their positions."""
    for name, value in attributes.items():
        setattr(layer, name, value)
    for position, tensor in (inputs or {}).items():
        layer.set_input(position, tensor)
    return layer.get_output(index)


def L(method: str, *arguments: Any, **options: Any) -> Callable[..., Any]:
    """A converter of one layer: net.<method>(*tensors, *arguments), and the options of `out`."""
    return lambda net, *xs: out(getattr(net, method)(*xs, *arguments), **options)


class Row:
    """One op, its converter and its inputs; it is compiled together with its group."""

    def __init__(
        self, name: str, convert: Callable[..., Any], eager: Callable[..., Any], *inputs: Any
    ) -> None:
        self.name, self.convert, self.eager, self.inputs = name, convert, eager, inputs
        self.op_name = f"{re.sub(r'[^a-z0-9]+', '_', name)}_{next(_numbers)}"
        self.group: Group

    def check(self, engine: str) -> None:
        """The op runs in an engine and agrees with eager PyTorch at every size."""
        report, calls = self.group.run(engine)
        (node,) = [n for n in report.data["nodes"] if n["op"] == f"user_layers::{self.op_name}"]
        assert node["engine"] >= 0, node["reason"]
        for xs, results in calls:
            index = self.group.rows.index(self)
            _assert_close(results[index], self.eager(*xs[index]))

    def op(self) -> torch._ops.OpOverload:
        """Defines the op."""
        results = self.eager(*self.example("opt"))
        count = len(results) if isinstance(results, tuple) else 1
        returns = "Tensor" if count == 1 else f"({', '.join(['Tensor'] * count)})"
        _library.define(f"{self.op_name}(Tensor[] xs) -> {returns}")

        def compute(xs: list[torch.Tensor]) -> Any:
            return self.eager(*xs)

        _library.impl(self.op_name, compute, "CompositeExplicitAutograd")
        torch.library.register_fake(f"user_layers::{self.op_name}", compute, lib=_library)
        return getattr(torch.ops.user_layers, self.op_name).default

    def example(self, shape: str) -> list[torch.Tensor]:
        """Inputs at the `opt`, `min`, `max` shape or one `between`."""
        generator = torch.Generator().manual_seed(1)
        return [_tensor(x, shape, generator) for x in self.inputs]


class Group:
    """The rows of one test, in one model."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows
        for row in rows:
            row.group = self

    @functools.cached_property
    def _ops(self) -> list[torch._ops.OpOverload]:
        return [row.op() for row in self.rows]

    @functools.cached_property
    def _program(self) -> torch.export.ExportedProgram:
        ops = self._ops

        class Model(torch.nn.Module):
            def forward(self, xs: list[list[torch.Tensor]]) -> Any:
                return [op(x) for op, x in zip(ops, xs, strict=True)]

        return torch_tensorrt.dynamo.trace(Model(), inputs=self._inputs)

    @property
    def _inputs(self) -> list[Any]:
        specs = [[x.spec() if isinstance(x, Spec) else x for x in row.inputs] for row in self.rows]
        return [specs]

    @functools.cache  # noqa: B019  as long as the process
    def run(self, engine: str) -> tuple[torch_tensorrt.Report, list[Any]]:
        """The report, and each call's inputs and results, a list an op."""
        with DYNAMO_CONVERTERS.temporary():
            for row, op in zip(self.rows, self._ops, strict=True):
                dynamo_tensorrt_converter(op, supports_dynamic_shapes=True)(_converter(row))
            fast = torch_tensorrt.dynamo.compile(
                self._program, inputs=self._inputs, engine=engine, min_block_size=1
            )
        dynamic = any(isinstance(x, Spec) and x.dynamic for row in self.rows for x in row.inputs)
        shapes = ("opt", "min", "max", "between") if dynamic else ("opt",)
        calls = []
        for shape in shapes:
            xs = [row.example(shape) for row in self.rows]
            calls.append((xs, fast(xs)))
        return torch_tensorrt.report(fast), calls


def _converter(row: Row) -> Callable[..., Any]:
    return lambda ctx, target, args, kwargs, name: row.convert(ctx.net, *args[0])


def _assert_close(got: Any, expected: Any) -> None:
    """Same dtypes and shapes, and values within 1e-4 of the largest one."""
    ours, theirs = pytree.tree_leaves(got), pytree.tree_leaves(expected)
    for a, b in zip(ours, theirs, strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        scale = b.abs().max().item() if b.dtype.is_floating_point else 1.0
        torch.testing.assert_close(a, b, rtol=0, atol=1e-4 * (scale or 1.0))


def _tensor(x: Any, which: str, generator: torch.Generator) -> torch.Tensor:
    if not isinstance(x, Spec):
        return x
    return x.tensor(x.between() if which == "between" else getattr(x, which), generator)


def sizes_after(net: Any, x: Any, *added: int) -> Any:
    """The sizes of x plus these numbers, as a vector."""
    shape = out(net.add_shape(x))
    return out(net.add_elementwise(shape, torch.tensor(added), trt.ElementWiseOperation.SUM))


def zero(x: torch.Tensor) -> torch.Tensor:
    """0, computed from x: an op whose result is known is no op of the model."""
    return x.mul(0).sum().long()


def layer_rows(*rows: tuple[Any, ...]) -> Callable[[Any], Any]:
    """Decorates a test of (row, engine): each row on each engine."""
    made = Group([Row(*row) for row in rows]).rows

    def decorate(test: Any) -> Any:
        with_rows = pytest.mark.parametrize("row", made, ids=lambda row: row.name)
        return pytest.mark.parametrize("engine", ENGINES)(with_rows(test))

    return decorate
