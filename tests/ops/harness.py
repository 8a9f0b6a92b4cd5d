"""Op tests: rows, crossed with engines and ways of capture; eager PyTorch is the oracle.

    from ops.harness import Dyn, T, op_rows

    @op_rows(
        ("last_dim", lambda x: torch.softmax(x, -1), T(4, 3)),
        ("dynamic", lambda x: torch.softmax(x, 0), Dyn((1, 3), (4, 3), (8, 3))),
        ("of_ints", lambda x: torch.softmax(x.float(), 0), T(4, 3, dtype=torch.int64)),
        dtypes=(torch.float32, torch.float16),
    )
    def test_softmax(case):
        case.check()

A row is (name, function or module, inputs...). A function takes the inputs and returns a tensor or
a nest of tensors. Inputs are:
    T(2, 3)                           float32, values in -1..1
    T(2, 3, low=0.1, high=5)          other values
    T(2, 3, dtype=torch.int64)        integers in -5..5; bool: both values
    Dyn((1, 3), (4, 3), (8, 3))       dynamic: run at min, opt, max and between
    torch.tensor([2, 0])              exactly this
An nn.Module is put into eval mode and its parameters and statistics are set to random numbers.

A `def` function or a module is scripted, traced and exported; a lambda or a builtin (torch.abs)
cannot be scripted, so it is traced and exported. `Row` in the place of a tuple has options:
`forms=("scripted",)` for what must not be traced, `tolerance=10` to multiply the table's.

What is exported runs on openvino alone: what differs from a trace is the capture, not the engine.

`dtypes` repeats all rows with their float32 inputs (and weights) in each dtype.

A case passes where the whole row became one engine with nothing left in PyTorch, every output has
eager's dtype and shape, values agree within TOLERANCES, results stay intact after later calls, and
inputs are unchanged. What is known to fail stands in tests/known_failures.py.
"""

from __future__ import annotations

import copy
import fnmatch
import types
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import torch
import torch_tensorrt
from known_failures import EXPECTED_FAILURES, UNSUPPORTED
from torch.utils import _pytree as pytree

ENGINES = ("reference", "openvino")

# (relative, absolute) error that a result of each dtype may have; others must be equal.
TOLERANCES: dict[torch.dtype, tuple[float, float]] = {
    torch.float64: (1e-7, 1e-9),
    torch.float32: (1e-4, 1e-5),
    torch.float16: (4e-3, 2e-3),
    torch.bfloat16: (3e-2, 2e-2),
}
SHORT_NAMES = {
    torch.float32: "f32",
    torch.float16: "f16",
    torch.bfloat16: "bf16",
    torch.float64: "f64",
}


@dataclass(frozen=True)
class Spec:
    """A random input: its shapes and the range of its values."""

    min: tuple[int, ...]
    opt: tuple[int, ...]
    max: tuple[int, ...]
    dtype: torch.dtype
    low: float | None
    high: float | None

    @property
    def dynamic(self) -> bool:
        return self.min != self.max

    def between(self) -> tuple[int, ...]:
        """A shape that is none of the three where there is room; equal ranges give equal sizes."""
        return tuple(
            low if low == high else next((s for s in range(low + 1, high) if s != best), best)
            for low, best, high in zip(self.min, self.opt, self.max, strict=True)
        )

    def tensor(self, shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
        if self.dtype is torch.bool:
            return torch.rand(shape, generator=generator) > 0.5
        if self.dtype.is_floating_point:
            low, high = (
                -1.0 if self.low is None else self.low,
                1.0 if self.high is None else self.high,
            )
            return torch.empty(shape).uniform_(low, high, generator=generator).to(self.dtype)
        low, high = -5 if self.low is None else self.low, 5 if self.high is None else self.high
        if self.dtype is torch.uint8:
            low = max(low, 0)
        return torch.randint(int(low), int(high) + 1, shape, generator=generator).to(self.dtype)

    def spec(self) -> torch_tensorrt.Input:
        if not self.dynamic:
            return torch_tensorrt.Input(self.opt, dtype=self.dtype)
        return torch_tensorrt.Input(
            min_shape=self.min, opt_shape=self.opt, max_shape=self.max, dtype=self.dtype
        )


def T(
    *shape: int,
    dtype: torch.dtype = torch.float32,
    low: float | None = None,
    high: float | None = None,
) -> Spec:
    """A random input of a fixed shape; its values lie in low..high."""
    return Spec(shape, shape, shape, dtype, low, high)


def Dyn(
    min: tuple[int, ...],
    opt: tuple[int, ...],
    max: tuple[int, ...],
    dtype: torch.dtype = torch.float32,
    low: float | None = None,
    high: float | None = None,
) -> Spec:
    """A random input with dynamic dimensions."""
    return Spec(min, opt, max, dtype, low, high)


class Row:
    """One function with its inputs and options; see the top of this file."""

    def __init__(
        self,
        name: str,
        fn: Callable[..., Any],
        *inputs: Spec | torch.Tensor,
        forms: tuple[str, ...] | None = None,
        tolerance: float = 1.0,
    ) -> None:
        self.name, self.fn, self.inputs, self.tolerance = name, fn, inputs, tolerance
        scriptable = isinstance(fn, torch.nn.Module) or (
            isinstance(fn, types.FunctionType) and fn.__name__ != "<lambda>"
        )
        self.forms = forms or (
            ("traced", "scripted", "exported") if scriptable else ("traced", "exported")
        )

    def at(self, dtype: torch.dtype) -> Row:
        """This row with its float32 inputs and weights in another dtype."""
        inputs = [
            Spec(i.min, i.opt, i.max, dtype, i.low, i.high)
            if isinstance(i, Spec) and i.dtype is torch.float32
            else i.to(dtype)
            if isinstance(i, torch.Tensor) and i.dtype is torch.float32
            else i
            for i in self.inputs
        ]
        fn = copy.deepcopy(self.fn).to(dtype) if isinstance(self.fn, torch.nn.Module) else self.fn
        name = f"{self.name}-{SHORT_NAMES[dtype]}"
        return Row(name, fn, *inputs, forms=self.forms, tolerance=self.tolerance)


class Call(torch.nn.Module):
    """A function of tensors as a module."""

    def __init__(self, fn: Callable[..., Any]) -> None:
        super().__init__()
        self.fn = fn

    def forward(self, *inputs: torch.Tensor) -> Any:
        return self.fn(*inputs)


@dataclass(frozen=True)
class Case:
    """A row in one form on one engine."""

    op: str
    row: Row
    form: str
    engine: str

    def check(self) -> None:
        """Compiles once, then compares all shapes with eager."""
        _skip_without(self.engine)
        with _known(self.engine, f"{self.op}/{self.row.name}/{self.form}"):
            self._check()

    def _check(self) -> None:
        generator = torch.Generator().manual_seed(zlib.crc32(f"{self.op}/{self.row.name}".encode()))
        module = _randomized(self.row.fn, generator)
        calls = [self._tensors(at, generator) for at in self._points()]
        fast = torch_tensorrt.compile(
            self._captured(module, calls[0]),
            ir="dynamo" if self.form == "exported" else "ts",
            inputs=[
                i.spec() if isinstance(i, Spec) else torch_tensorrt.Input.from_tensor(i)
                for i in self.row.inputs
            ],
            engine=self.engine,
            min_block_size=1,
            require_full_compilation=True,
            cache_built_engines=False,
        )
        report = torch_tensorrt.report(fast)
        # An op that gives its input back leaves nothing to run.
        wanted = [self.engine] if report.data["engine_ops"] else []
        assert [e["plugin"] for e in report.engines] == wanted, report.text
        assert report.in_pytorch == [], report.text
        results = []
        for inputs in calls:
            before = [i.clone() for i in inputs]
            results.append(fast(*inputs))
            for argument, kept in zip(inputs, before, strict=True):
                assert _same(argument, kept), "an input was changed"
        for inputs, got in zip(calls, results, strict=True):
            shapes = [tuple(i.shape) for i in inputs]
            compare(got, module(*inputs), self.row.tolerance, f"inputs of shape {shapes}")

    def _points(self) -> list[str]:
        dynamic = any(isinstance(i, Spec) and i.dynamic for i in self.row.inputs)
        return ["opt", "min", "max", "between"] if dynamic else ["opt"]

    def _tensors(self, at: str, generator: torch.Generator) -> list[torch.Tensor]:
        tensors = []
        for spec in self.row.inputs:
            if isinstance(spec, torch.Tensor):
                tensors.append(spec.clone())
            else:
                shape = spec.between() if at == "between" else getattr(spec, at)
                tensors.append(spec.tensor(shape, generator))
        return tensors

    def _captured(self, module: Any, inputs: list[torch.Tensor]) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if self.form == "scripted":
                return torch.jit.script(module)
            wrapped = module if isinstance(module, torch.nn.Module) else Call(module).eval()
            if self.form == "exported":
                return wrapped
            return torch.jit.trace(wrapped, tuple(inputs), check_trace=False, strict=False)


def compare(got: Any, expected: Any, tolerance: float = 1.0, what: str = "") -> None:
    """Same nesting, dtypes, shapes, and values within TOLERANCES times `tolerance`."""
    ours, structure = pytree.tree_flatten(got)
    theirs, expected_structure = pytree.tree_flatten(expected)
    assert structure == expected_structure, f"{what}: {structure}, expected {expected_structure}"
    for index, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        label = f"{what}, output {index}"
        if not isinstance(b, torch.Tensor):
            assert a == b, f"{label}: {a}, expected {b}"
            continue
        assert (a.dtype, a.shape) == (b.dtype, b.shape), (
            f"{label}: {a.dtype} {tuple(a.shape)}, expected {b.dtype} {tuple(b.shape)}"
        )
        rtol, atol = (t * tolerance for t in TOLERANCES.get(b.dtype, (0.0, 0.0)))
        torch.testing.assert_close(
            a, b, rtol=rtol, atol=atol, equal_nan=True, msg=lambda text, at=label: f"{at}: {text}"
        )


def op_rows(
    *rows: Row | tuple[Any, ...], dtypes: tuple[torch.dtype, ...] = (torch.float32,)
) -> Callable[[Callable[..., None]], Any]:
    """Calls the test with a `case` for each row, dtype, form and engine; see the file's top."""
    plain = [row if isinstance(row, Row) else Row(*row) for row in rows]
    names = [row.name for row in plain]
    assert len(set(names)) == len(names), f"rows have equal names: {names}"
    every = [row if dtype is torch.float32 else row.at(dtype) for dtype in dtypes for row in plain]

    def decorate(test: Callable[..., None]) -> Any:
        op = test.__name__.removeprefix("test_")
        cases = [
            pytest.param(Case(op, row, form, engine), id=f"{row.name}-{form}-{engine}")
            for row in every
            for form in row.forms
            for engine in ENGINES
            if form != "exported" or engine == "openvino"
        ]
        return pytest.mark.parametrize("case", cases)(test)

    return decorate


def _same(a: torch.Tensor, b: torch.Tensor) -> bool:
    return (
        torch.equal(a.nan_to_num(), b.nan_to_num()) if a.is_floating_point() else torch.equal(a, b)
    )


def _randomized(fn: Any, generator: torch.Generator) -> Any:
    """A copy of a module in eval mode with random weights; a function as it is."""
    if not isinstance(fn, torch.nn.Module):
        return fn
    module = copy.deepcopy(fn).eval()
    for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
        if tensor.is_floating_point():
            low, high = (0.5, 1.5) if name.endswith("running_var") else (-0.5, 0.5)
            tensor.copy_(torch.empty(tensor.shape).uniform_(low, high, generator=generator))
    return module


def _skip_without(engine: str) -> None:
    info = {e.name: e for e in torch_tensorrt.runtime.available_engines()}.get(engine)
    if info is None or not info.available:
        pytest.skip(f"engine {engine} cannot run here: {info.reason if info else 'no such plugin'}")


@contextmanager
def _known(engine: str, key: str) -> Iterator[None]:
    """Turns a failure that the tables know into an expected one, and its absence into a failure."""
    reason = None
    for table in (UNSUPPORTED, EXPECTED_FAILURES):
        for pattern, why in table.get(engine, {}).items():
            if fnmatch.fnmatchcase(key, pattern) or fnmatch.fnmatchcase(key, f"{pattern}/*"):
                reason = why
    if reason is None:
        yield
        return
    try:
        yield
    except Exception:
        pytest.xfail(reason)
    pytest.fail(f"{key} passes on {engine}; take it out of tests/known_failures.py ({reason})")
