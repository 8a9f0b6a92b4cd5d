"""InputTensorSpec: shape, dtype and ranges of one input."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import torch

from torch_tensorrt._Input import Input

Shape = Sequence[int]
ShapeRange = tuple[Shape, Shape, Shape]
_CPU = torch.device("cpu")


class InputTensorSpec(NamedTuple):
    """What an input will look like.

    Attributes:
        shape: its sizes; -1 where a dimension varies.
        dtype: its element type.
        device: where it lies.
        shape_ranges: (smallest, usual, largest) shape, once a profile, where `shape` has a -1; one
            engine takes the union of all profiles and is tuned for the first usual shape.
        has_batch_dim: whether `shape` starts with the batch; `TRTInterpreter` puts one in front
            where it does not.

    >>> spec = InputTensorSpec(
    ...     shape=(-1, 8), dtype=torch.float32, shape_ranges=[((1, 8), (4, 8), (16, 8))]
    ... )
    >>> spec.to_random_tensor().shape
    torch.Size([4, 8])
    """

    shape: Shape
    dtype: torch.dtype
    device: torch.device = _CPU
    shape_ranges: Sequence[ShapeRange] = ()
    has_batch_dim: bool = True

    @classmethod
    def from_tensor(cls, tensor: torch.Tensor) -> InputTensorSpec:
        """The fixed shape, dtype and device of a tensor."""
        return cls(tensor.shape, tensor.dtype, tensor.device)

    @classmethod
    def from_tensors(cls, tensors: Iterable[torch.Tensor]) -> list[InputTensorSpec]:
        """`from_tensor` of each.

        >>> InputTensorSpec.from_tensors([torch.ones(2, 3)])[0].shape
        torch.Size([2, 3])
        """
        return [cls.from_tensor(tensor) for tensor in checked_tensors("tensors", tensors)]

    @classmethod
    def from_tensors_with_dynamic_batch_size(
        cls,
        tensors: Sequence[torch.Tensor],
        batch_size_range: tuple[int, int, int],
        opt_profile_replica: int = 1,
        batch_dims: Sequence[int] | None = None,
    ) -> list[InputTensorSpec]:
        """Specs whose batch varies.

        Args:
            tensors: examples.
            batch_size_range: smallest, usual and largest batch.
            opt_profile_replica: how often the profile is repeated; one serves all calls here.
            batch_dims: the batch dimension of each tensor, -1 where it has none; left out,
                dimension 0 of all tensors that have the first one's size there.

        Raises:
            ValueError: `batch_dims` or the range do not fit.

        >>> (spec,) = InputTensorSpec.from_tensors_with_dynamic_batch_size(
        ...     [torch.ones(2, 3)], (1, 2, 8)
        ... )
        >>> spec.shape, spec.shape_ranges
        ((-1, 3), [((1, 3), (2, 3), (8, 3))])
        """
        tensors = checked_tensors("tensors", tensors)
        dims = _batch_dims(tensors) if batch_dims is None else list(batch_dims)
        if len(dims) != len(tensors):
            raise ValueError(f"batch_dims has {len(dims)} entries, expected {len(tensors)}")
        if not _is_range(batch_size_range):
            raise ValueError(
                f"batch_size_range is {batch_size_range!r}, expected 0 <= min <= opt <= max"
            )
        return [
            cls.from_tensor(tensor)
            if dim < 0
            else cls(
                _with_size(tensor, dim, -1),
                tensor.dtype,
                tensor.device,
                [_profile(tensor, dim, batch_size_range)] * opt_profile_replica,
            )
            for tensor, dim in zip(tensors, dims, strict=True)
        ]

    @classmethod
    def create_inputs_from_specs(cls, input_specs: Iterable[InputTensorSpec]) -> list[torch.Tensor]:
        """`to_random_tensor` of each."""
        return [spec.to_random_tensor() for spec in input_specs]

    def to_random_tensor(self, id: int = 1) -> torch.Tensor:
        """A tensor that fits.

        Args:
            id: which shape of the first range: 0 the smallest, 1 the usual, 2 the largest.
        """
        shape = tuple(self.shape_ranges[0][id]) if self.shape_ranges else tuple(self.shape)
        if self.dtype.is_floating_point:
            return torch.randn(shape, dtype=self.dtype, device=self.device)
        return torch.randint(0, 2, shape, device=self.device).to(self.dtype)

    def to_input(self) -> Input:
        """The same as a torch_tensorrt.Input.

        Raises:
            ValueError: a dimension is -1 and there is no range, or a range contradicts `shape`.
        """
        fixed = tuple(self.shape)
        if not self.shape_ranges:
            if any(size < 0 for size in fixed):
                raise ValueError(f"shape is {fixed} and shape_ranges is empty, expected a range")
            return Input(fixed, dtype=self.dtype)
        for profile in self.shape_ranges:
            if len(profile) != 3:
                raise ValueError(
                    f"shape_ranges has {profile}, expected the smallest, usual and largest shape"
                )
            for shape in profile:
                if len(shape) != len(fixed) or any(
                    size not in (-1, given) for size, given in zip(fixed, shape, strict=True)
                ):
                    raise ValueError(f"shape is {fixed}, but a range has the shape {tuple(shape)}")
        names = ("min", "opt", "max")
        return Input(
            profiles=[dict(zip(names, profile, strict=True)) for profile in self.shape_ranges],
            dtype=self.dtype,
        )


def generate_input_specs(
    inputs: Sequence[torch.Tensor],
    lower_setting: Any,
    additional_inputs: Sequence[torch.Tensor] | None = None,
) -> list[InputTensorSpec]:
    """The specs that a LowerSetting asks for: its own, else those of the inputs, with a batch of
    1..max_batch_size where it says `dynamic_batch`.

    Args:
        inputs: examples.
        lower_setting: a `LowerSetting`.
        additional_inputs: the same inputs with another batch; the dimension that differs is the
            batch.
    """
    if lower_setting.input_specs:
        return list(lower_setting.input_specs)
    if not lower_setting.dynamic_batch:
        return InputTensorSpec.from_tensors(inputs)
    dims = (
        _batch_dims(inputs) if additional_inputs is None else _differing(inputs, additional_inputs)
    )
    batch = next((t.shape[d] for t, d in zip(inputs, dims, strict=True) if d >= 0), 1)
    largest = max(lower_setting.max_batch_size, batch)
    return InputTensorSpec.from_tensors_with_dynamic_batch_size(
        inputs, (min(1, batch), batch, largest), batch_dims=dims
    )


def checked_tensors(name: str, tensors: Any) -> list[torch.Tensor]:
    """The tensors as a list.

    Raises:
        ValueError: it is something else; the message begins with `name`.
    """
    if not isinstance(tensors, Iterable) or isinstance(tensors, torch.Tensor):
        raise ValueError(f"{name} is {tensors!r}, expected a sequence of tensors")
    given = list(tensors)
    for index, tensor in enumerate(given):
        if not isinstance(tensor, torch.Tensor):
            raise ValueError(f"{name}[{index}] is {tensor!r}, expected a tensor")
    return given


def _is_range(sizes: Any) -> bool:
    """Are these the smallest, usual and largest size?"""
    if not isinstance(sizes, tuple | list) or [type(size) for size in sizes] != [int] * 3:
        return False
    return bool(0 <= sizes[0] <= sizes[1] <= sizes[2])


def _batch_dims(tensors: Sequence[torch.Tensor]) -> list[int]:
    batch = next((tensor.shape[0] for tensor in tensors if tensor.dim()), None)
    return [0 if tensor.dim() and tensor.shape[0] == batch else -1 for tensor in tensors]


def _differing(inputs: Sequence[torch.Tensor], others: Sequence[torch.Tensor]) -> list[int]:
    if len(inputs) != len(others):
        raise ValueError(f"additional_inputs has {len(others)} tensors, expected {len(inputs)}")
    dims = []
    for index, (tensor, other) in enumerate(zip(inputs, others, strict=True)):
        if tensor.dim() != other.dim():
            raise ValueError(
                f"additional_inputs[{index}] has rank {other.dim()}, expected {tensor.dim()}"
            )
        differing = [a for a in range(tensor.dim()) if tensor.shape[a] != other.shape[a]]
        if len(differing) > 1:
            raise ValueError(
                f"additional_inputs[{index}] has the shape {tuple(other.shape)}, expected one that "
                f"differs from {tuple(tensor.shape)} in the batch alone"
            )
        dims.append(differing[0] if differing else -1)
    return dims


def _with_size(tensor: torch.Tensor, dim: int, size: int) -> tuple[int, ...]:
    shape = list(tensor.shape)
    shape[dim] = size
    return tuple(shape)


def _profile(tensor: torch.Tensor, dim: int, batches: tuple[int, int, int]) -> ShapeRange:
    low, opt, high = (_with_size(tensor, dim, batch) for batch in batches)
    return low, opt, high
