"""The inputs of a graph at the smallest, usual and largest sizes, and at some between."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import sympy
import torch

# The largest value that a size without an upper bound is compiled for, and how much above its
# usual value it may grow at least.
_UNBOUNDED = 4096
_GROWTH = 4


class SymbolRange(NamedTuple):
    """What a symbolic size may be; `opt` is what engines are tuned for."""

    min: int
    opt: int
    max: int


Ranges = dict[sympy.Symbol, SymbolRange]


def is_symbolic(size: Any) -> bool:
    """Does the size depend on a symbol? A SymInt may be a number that tracing fixed."""
    return isinstance(size, torch.SymInt) and bool(size.node.expr.free_symbols)


def sized(value: Any) -> list[Any]:
    """The sizes of a fake input: of a tensor, or the number itself."""
    if isinstance(value, torch.Tensor):
        return list(value.shape)
    return [value] if isinstance(value, torch.SymInt) else []


def ranges_of(values: list[Any], given: Mapping[sympy.Symbol, SymbolRange]) -> Ranges:
    """A range for every symbol in the inputs' sizes: the given one, else the shape environment's.

    Args:
        values: fake tensors, symbolic integers or constants, one an input.
        given: ranges that the caller knows better.
    """
    ranges: Ranges = {}
    for value in values:
        for size in sized(value):
            if not is_symbolic(size):
                continue
            for symbol in sorted(size.node.expr.free_symbols, key=str):
                if symbol not in ranges:
                    ranges[symbol] = given.get(symbol) or _from_environment(symbol, size)
    return ranges


def _from_environment(symbol: sympy.Symbol, size: torch.SymInt) -> SymbolRange:
    environment = size.node.shape_env
    bounds = environment.var_to_range.get(symbol)
    low = int(bounds.lower) if bounds is not None and _is_number(bounds.lower) else 0
    # Tracing assumes that sizes are not 0 and 1; results for 1 are the same.
    low = 1 if low == 2 else low
    hints = getattr(environment, "backed_var_to_val", None) or environment.var_to_val
    opt = int(hints.get(symbol, max(low, 2)))
    finite = bounds is not None and _is_number(bounds.upper) and int(bounds.upper) < 2**31
    high = int(bounds.upper) if finite else max(_UNBOUNDED, opt * _GROWTH)
    return SymbolRange(min(low, opt), opt, max(high, opt))


def _is_number(bound: Any) -> bool:
    """Not one of sympy's and PyTorch's infinities."""
    return isinstance(bound, int | sympy.Integer)


def at_point(size: SymbolRange, point: str) -> int:
    """The same points as the TorchScript frontend's (src/compiler/capture/signature.cpp)."""
    low, opt, high = size
    return {
        "min": low,
        "opt": opt,
        "max": high,
        "above_min": min(low + 1, high),
        "below_max": max(high - 1, low),
        "middle": min(high, (low + (high - low) * 3 // 5) | 1),
    }[point]


def points(values: list[Any], ranges: Ranges) -> tuple[list[list[Any]], int]:
    """The inputs as meta tensors and numbers, once a point, and how many points must work.

    Constants (None, str, ...) are left out, as the Program leaves them out.
    """
    names = ["min", "opt", "max", "above_min", "below_max", "middle"] if ranges else ["opt"]
    rows = []
    for name in names:
        numbers = {symbol: at_point(size, name) for symbol, size in ranges.items()}
        rows.append([_example(value, numbers) for value in values if is_input(value)])
    return rows, 3 if ranges else 1


def is_input(value: Any) -> bool:
    """Is it given at run time?"""
    return isinstance(value, torch.Tensor | torch.SymInt | torch.SymFloat | torch.SymBool)


def _example(value: Any, numbers: Mapping[sympy.Symbol, int]) -> Any:
    if isinstance(value, torch.Tensor):
        shape = [number_of(size, numbers) for size in value.shape]
        return torch.empty(shape, dtype=value.dtype, device="meta")
    return number_of(value, numbers)


def number_of(size: Any, numbers: Mapping[sympy.Symbol, int]) -> int:
    """The size where symbols have these values."""
    if not isinstance(size, torch.SymInt):
        return int(size)
    expression = size.node.expr
    return int(expression.xreplace({s: sympy.Integer(n) for s, n in numbers.items()}))
