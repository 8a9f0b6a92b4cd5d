# ruff: noqa: N999
"""What a compiled module will be called with: shapes, element type, memory format."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

import torch
from torch.utils import _pytree as pytree

from torch_tensorrt._enums import dtype as _dtype
from torch_tensorrt._enums import memory_format

Shape = Sequence[int]


class Input:
    """One tensor argument.

    Args:
        shape: the shape, where it is fixed.
        min_shape, opt_shape, max_shape: the range, where it is not; engines are tuned for
            `opt_shape`.
        profiles: several ranges, each a dict with min, opt and max; the module takes their union.
        dtype: element type; left out, it follows from the module's weights.
        format: torch.contiguous_format or torch.channels_last.
        tensor_domain: half-open range of the values of the random example.
        torch_tensor: an example; made at random where it is left out.
        name: of the argument.
        is_shape_tensor: whether the tensor holds sizes; the shapes above are then ranges of its
            values.
        shared_dims: names of dynamic axes; axes with one name always have one size.

    Raises:
        ValueError: shapes are missing, differ in rank or are out of order; the message shows them.
        TypeError: an unknown keyword.

    >>> Input(min_shape=(1, 64), opt_shape=(4, 64), max_shape=(8, 64)).shape
    {'min_shape': (1, 64), 'opt_shape': (4, 64), 'max_shape': (8, 64)}
    """

    class _ShapeMode(Enum):
        STATIC = 0
        DYNAMIC = 1

    def __init__(
        self,
        shape: Shape | None = None,
        *,
        min_shape: Shape | None = None,
        opt_shape: Shape | None = None,
        max_shape: Shape | None = None,
        profiles: Sequence[Mapping[str, Shape]] | None = None,
        dtype: object = _dtype.unknown,
        format: object = memory_format.linear,
        tensor_domain: tuple[float, float] = (0.0, 2.0),
        torch_tensor: torch.Tensor | None = None,
        name: str = "",
        is_shape_tensor: bool = False,
        shared_dims: Mapping[int, str] | None = None,
    ) -> None:
        ranges = (min_shape, opt_shape, max_shape)
        given = [shape is not None, any(s is not None for s in ranges), profiles is not None]
        if sum(given) != 1:
            raise ValueError("expected one of: shape; min_shape, opt_shape and max_shape; profiles")
        if profiles is not None:
            self.profiles = [_profile(p) for p in profiles]
            if not self.profiles:
                raise ValueError(
                    "profiles is empty, expected at least one dict with min, opt and max"
                )
        elif shape is not None:
            fixed = _sizes("shape", shape)
            self.profiles = [(fixed, fixed, fixed)]
        else:
            self.profiles = [_profile({"min": min_shape, "opt": opt_shape, "max": max_shape})]
        self.min_shape, self.opt_shape, self.max_shape = _union(self.profiles)
        self.shape_mode = Input._ShapeMode.STATIC if shape is not None else Input._ShapeMode.DYNAMIC
        self.dtype = _dtype._from(dtype)
        self._explicit_set_dtype = self.dtype is not _dtype.unknown
        self.format = memory_format._from(format)
        self.tensor_domain = _domain(tensor_domain)
        self.name = name
        self.is_shape_tensor = is_shape_tensor
        self.shared_dims = _checked_shared_dims(shared_dims, self)
        self._torch_tensor = torch_tensor

    @property
    def shape(self) -> Any:
        """A tuple where the shape is fixed, else a dict of min_shape, opt_shape and max_shape."""
        if self.shape_mode is Input._ShapeMode.STATIC:
            return self.opt_shape
        return {
            "min_shape": self.min_shape,
            "opt_shape": self.opt_shape,
            "max_shape": self.max_shape,
        }

    @property
    def torch_tensor(self) -> torch.Tensor:
        """An example: the one that was given, else a random one of the opt shape."""
        if self._torch_tensor is None:
            self._torch_tensor = self._random(self.opt_shape)
        return self._torch_tensor

    @classmethod
    def from_tensor(cls, t: torch.Tensor, disable_memory_format_check: bool = False) -> Input:
        """The fixed shape, dtype and memory format of an example.

        Args:
            t: the example.
            disable_memory_format_check: take it as contiguous whatever its strides are.
        """
        channels_last = (
            not disable_memory_format_check
            and t.dim() == 4
            and not t.is_contiguous()
            and t.is_contiguous(memory_format=torch.channels_last)
        )
        order = torch.channels_last if channels_last else torch.contiguous_format
        return cls(shape=tuple(t.shape), dtype=t.dtype, format=order, torch_tensor=t)

    @classmethod
    def from_tensors(
        cls, ts: Sequence[torch.Tensor], disable_memory_format_check: bool = False
    ) -> list[Input]:
        """`from_tensor` of each."""
        return [cls.from_tensor(t, disable_memory_format_check) for t in ts]

    def example_tensor(self, optimization_profile_field: str | None = None) -> torch.Tensor:
        """A random tensor that fits.

        Args:
            optimization_profile_field: "min_shape", "opt_shape" or "max_shape" of a dynamic input;
                none for a fixed one.

        Raises:
            ValueError: the field does not fit the kind of input.
        """
        if self.shape_mode is Input._ShapeMode.STATIC:
            if optimization_profile_field is not None:
                raise ValueError(
                    f"input has the fixed shape {self.opt_shape}, so it has no "
                    f"{optimization_profile_field!r}"
                )
            return self.torch_tensor
        if optimization_profile_field not in ("min_shape", "opt_shape", "max_shape"):
            raise ValueError(
                f"field is {optimization_profile_field!r}, expected min_shape, opt_shape, max_shape"
            )
        shape: tuple[int, ...] = getattr(self, optimization_profile_field)
        return self._random(shape)

    @staticmethod
    def equivalent_spec(a: Input, b: Input) -> bool:
        """Whether both describe the same shapes, dtype and memory format."""
        return (a.shape_mode, a.shape, a.dtype, a.format) == (
            b.shape_mode,
            b.shape,
            b.dtype,
            b.format,
        )

    def _is_dynamic(self, axis: int) -> bool:
        return self.min_shape[axis] != self.max_shape[axis]

    def _to_trace_with(self) -> torch.Tensor:
        """An example whose dynamic sizes are neither 0 nor 1: tracing would fix these."""
        shape = tuple(
            max(opt, min(2, high)) if low != high else opt
            for low, opt, high in zip(self.min_shape, self.opt_shape, self.max_shape, strict=True)
        )
        return self.torch_tensor if shape == self.opt_shape else self._random(shape)

    def _random(self, shape: tuple[int, ...]) -> torch.Tensor:
        kind = self.dtype.try_to(torch.dtype) or torch.float32
        if self.is_shape_tensor:
            return torch.tensor(
                shape, dtype=kind if kind in (torch.int32, torch.int64) else torch.int64
            )
        low, high = self.tensor_domain
        values = torch.empty(shape, dtype=torch.float32).uniform_(low, high)
        if kind is torch.bool:
            return values > (low + high) / 2
        tensor = values.to(kind)
        if self.format is memory_format.hwc and tensor.dim() == 4:
            return tensor.contiguous(memory_format=torch.channels_last)
        return tensor

    def __repr__(self) -> str:
        shown = [f"shape={self.shape}", f"dtype={self.dtype.name}", f"format={self.format.name}"]
        if self.name:
            shown.insert(0, f"name={self.name!r}")
        return f"Input({', '.join(shown)})"


def positional_inputs(
    inputs: Sequence[Any] | None,
    arg_inputs: Sequence[Any] | None,
    kwarg_inputs: Mapping[str, Any] | None,
) -> list[Any]:
    """The positional arguments, under whichever of their two names they are given.

    Raises:
        ValueError: under both, or none and there are none by name either; or no list.
    """
    if inputs is not None and arg_inputs is not None:
        raise ValueError(
            "inputs and arg_inputs are both given, expected one of them: they are the same"
        )
    positional = inputs if inputs is not None else arg_inputs
    if positional is None and kwarg_inputs is None:
        raise ValueError(
            "inputs is missing, expected one torch_tensorrt.Input or example tensor per argument"
        )
    no_list = isinstance(positional, torch.Tensor | str | bytes)
    if no_list or not isinstance(positional or (), Sequence):
        raise ValueError("inputs is no list, expected a list with one element per argument")
    return list(positional or ())


def kind_of(value: object) -> str:
    """Its type with an article.

    >>> kind_of("three"), kind_of(3)
    ('a str', 'an int')
    """
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


Profile = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]


def _sizes(field: str, shape: object) -> tuple[int, ...]:
    if not isinstance(shape, Sequence) or isinstance(shape, str):
        raise ValueError(f"{field} is {shape!r}, expected a tuple of sizes")
    if any(not isinstance(size, int) or size < 0 for size in shape):
        raise ValueError(
            f"{field} is {tuple(shape)}, expected sizes >= 0; give a range with min_shape, "
            "opt_shape and max_shape"
        )
    return tuple(shape)


def _profile(fields: Mapping[str, Any]) -> Profile:
    missing = [f"{k}_shape" for k in ("min", "opt", "max") if fields.get(k) is None]
    if missing:
        raise ValueError(
            f"{', '.join(missing)} missing, expected all of min_shape, opt_shape and max_shape"
        )
    low, best, high = (_sizes(f"{k}_shape", fields[k]) for k in ("min", "opt", "max"))
    if not len(low) == len(best) == len(high) or not all(
        a <= b <= c for a, b, c in zip(low, best, high, strict=True)
    ):
        raise ValueError(
            f"min_shape {low}, opt_shape {best}, max_shape {high}: expected one rank and "
            "min <= opt <= max"
        )
    return low, best, high


def _union(profiles: list[Profile]) -> Profile:
    """The smallest minimum and the largest maximum of each axis, and the first profile's opt."""
    if len({len(low) for low, _, _ in profiles}) != 1:
        raise ValueError(
            f"profiles have ranks {[len(low) for low, _, _ in profiles]}, expected one rank"
        )
    low = tuple(min(sizes) for sizes in zip(*(p[0] for p in profiles), strict=True))
    high = tuple(max(sizes) for sizes in zip(*(p[2] for p in profiles), strict=True))
    return low, profiles[0][1], high


def _domain(domain: tuple[float, float]) -> tuple[float, float]:
    low, high = domain
    if not low < high:
        raise ValueError(f"tensor_domain is {domain}, expected (low, high) with low < high")
    return low, high


def _checked_shared_dims(shared: Mapping[int, str] | None, owner: Input) -> dict[int, str]:
    for axis in shared or {}:
        if not 0 <= axis < len(owner.min_shape) or owner.min_shape[axis] == owner.max_shape[axis]:
            raise ValueError(
                f"shared_dims names axis {axis}, expected a dynamic axis of {owner.shape}"
            )
    return dict(shared or {})


def device_of(module: torch.nn.Module) -> torch.device:
    """Where its weights are; the CPU where it has none."""
    tensors = itertools.chain(module.parameters(), module.buffers())
    return next((tensor.device for tensor in tensors), torch.device("cpu"))


def distinct(examples: Any) -> Any:
    """The examples with a copy of every tensor that occurs again.

    Tracers know an argument by its tensor: of two that are one, they would record the last.
    """
    seen: set[int] = set()

    def own(value: Any) -> Any:
        if not isinstance(value, torch.Tensor):
            return value
        again = id(value) in seen
        seen.add(id(value))
        return value.clone() if again else value

    return pytree.tree_map(own, examples)
