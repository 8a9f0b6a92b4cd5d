"""The inputs of a graph at the smallest, usual and largest sizes, and at some between."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import sympy
import torch

# The largest value that a size without an upper bound is compiled for, and how much above its
# usual value it may grow at least.
_UNBOUNDED = 4096
_GROWTH = 4


class SymbolRange(NamedTuple):
    """What a symbolic size may be; `opt` is what engines are tuned for.

    `guessed`: nothing bounds the size, so that `max` is only a wish.
    """

    min: int
    opt: int
    max: int
    guessed: bool = False


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
    return SymbolRange(min(low, opt), opt, max(high, opt), guessed=not finite)


def _is_number(bound: Any) -> bool:
    """Not one of sympy's and PyTorch's infinities."""
    return isinstance(bound, int | sympy.Integer)


def at_point(size: SymbolRange, point: str) -> int:
    """The same points as the TorchScript frontend's (src/compiler/capture/signature.cpp)."""
    low, opt, high, _ = size
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
    rows = [
        examples(values, {symbol: at_point(size, name) for symbol, size in ranges.items()})
        for name in names
    ]
    return rows, 3 if ranges else 1


def examples(values: list[Any], numbers: Mapping[sympy.Symbol, int]) -> list[Any]:
    """The inputs as meta tensors and numbers where symbols have these values."""
    return [_example(value, numbers) for value in values if is_input(value)]


def possible(ranges: Ranges, works: Callable[[dict[sympy.Symbol, int]], bool]) -> Ranges:
    """The ranges with each guessed maximum lowered to what works: a position table has an end."""
    numbers = {symbol: size.max for symbol, size in ranges.items()}
    guessed = [symbol for symbol, size in ranges.items() if size.guessed]
    if not guessed or works(numbers):
        return ranges
    usual = {symbol: size.opt for symbol, size in ranges.items()}
    for symbol in guessed:
        low, high = ranges[symbol].opt, numbers[symbol]
        if works({**usual, symbol: high}):
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if works({**usual, symbol: middle}) else (low, middle)
        numbers[symbol] = low
    # What works alone may be too much together.
    while any(numbers[symbol] > usual[symbol] for symbol in guessed) and not works(numbers):
        for symbol in guessed:
            numbers[symbol] = (numbers[symbol] + usual[symbol]) // 2
    return {symbol: size._replace(max=numbers[symbol]) for symbol, size in ranges.items()}


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
