"""Layers that read and write at computed positions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from torch_tensorrt.dynamo.conversion._enums import (
    BoundingBoxFormat,
    DataType,
    GatherMode,
    ScatterMode,
)
from torch_tensorrt.dynamo.conversion._layer import ILayer
from torch_tensorrt.dynamo.conversion._network_base import NetworkBase
from torch_tensorrt.dynamo.conversion._writer import Value, Writer, positive_axis


class IGatherLayer(ILayer):
    """Elements at indices, which are 0 or more."""

    operands = ("input", "indices")
    axis: int
    num_elementwise_dims: int
    mode: GatherMode

    def _emit(self, write: Writer) -> list[Value]:
        x, indices = self._input(0), self._input(1)
        batch = self.num_elementwise_dims
        if self.mode is GatherMode.ND:
            _check_tuples(self._known(1), x.shape[max(batch, 0) :])
            return [write.one("gather_nd", x, indices, batch_dims=batch)]
        axis = positive_axis(self.axis, len(x.shape))
        _check_indices(self._known(1), axis, x.shape[axis])
        if self.mode is GatherMode.ELEMENT:
            return [write.one("gather_elements", x, indices, axis=axis)]
        return [write.one("gather", x, indices, axis=axis, batch_dims=batch)]


class IScatterLayer(ILayer):
    """The data with updates at indices, which are 0 or more."""

    operands = ("data", "indices", "updates")
    mode: ScatterMode
    axis: int

    def _emit(self, write: Writer) -> list[Value]:
        data, indices, updates = (self._input(i) for i in range(3))
        if self.mode is ScatterMode.ND:
            _check_tuples(self._known(1), data.shape)
            return [write.one("scatter_nd", data, indices, updates)]
        axis = positive_axis(self.axis, len(data.shape))
        _check_indices(self._known(1), axis, data.shape[axis])
        return [write.one("scatter_elements", data, indices, updates, axis=axis)]


class IOneHotLayer(ILayer):
    """A new axis that is values[1] at the index and values[0] elsewhere."""

    operands = ("indices", "values", "depth")
    axis: int

    def _emit(self, write: Writer) -> list[Value]:
        indices, values = self._input(0), self._input(1)
        depth = self._number(2)
        if values.shape != (2,):
            raise ValueError(f"values has shape {values.shape}, expected (2,): off and on")
        off, on = (write.one("gather", values, write.scalar(i), axis=0) for i in range(2))
        axis = positive_axis(self.axis, len(indices.shape) + 1)
        return [write.one("one_hot", indices, on, off, depth=depth, axis=axis)]


class INonZeroLayer(ILayer):
    """The positions [rank, n] of what is not zero."""

    indices_type: DataType

    def _emit(self, write: Writer) -> list[Value]:
        found = write.one("non_zero", self._input(0))
        return [write.cast(found, self.indices_type.value)]


class INMSLayer(ILayer):
    """The boxes [m, 3] (batch, class, box) that stay, by batch, class and falling score."""

    operands = (
        "boxes",
        "scores",
        "max_output_boxes_per_class",
        "iou_threshold",
        "score_threshold",
    )
    outputs = ("selected_indices", "num_output_boxes")
    bounding_box_format: BoundingBoxFormat
    indices_type: DataType

    def _emit(self, write: Writer) -> list[Value]:
        boxes, scores = self._input(0), self._input(1)
        if len(boxes.shape) != 3:
            raise NotImplementedError(
                f"boxes has {len(boxes.shape)} axes, expected 3: batch, box, corners"
            )
        most = self._number(2)
        iou, score = (self._threshold(index) for index in (3, 4))
        found = write.one(
            "nms",
            boxes,
            write.one("transpose", scores, perm=[0, 2, 1]),
            max_per_class=most,
            iou_threshold=iou,
            score_threshold=score,
            form=self.bounding_box_format.value,
        )
        count = write.one("gather", write.one("shape_of", found), write.scalar(0), axis=0)
        kind = self.indices_type.value
        return [write.cast(found, kind), write.cast(count, "i32")]

    def _threshold(self, index: int) -> float:
        if self.get_input(index) is None:
            return 0.0
        return float(self._number(index, float))


class IndexingMethods(NetworkBase):
    """add_* methods of the layers in this file."""

    def add_gather(self, input: Any, indices: Any, axis: int) -> IGatherLayer:
        """Slices of the input along `axis`."""
        layer = self.add_gather_v2(input, indices, GatherMode.DEFAULT)
        layer.axis = axis
        return layer

    def add_gather_v2(self, input: Any, indices: Any, mode: Any) -> IGatherLayer:
        """Elements along `axis` (DEFAULT, ELEMENT) or at tuples of indices (ND)."""
        return self._added(
            IGatherLayer(self, input, indices, mode=mode, axis=0, num_elementwise_dims=0)
        )

    def add_scatter(self, data: Any, indices: Any, updates: Any, mode: Any) -> IScatterLayer:
        """The data with updates along `axis` (ELEMENT) or at tuples of indices (ND)."""
        return self._added(IScatterLayer(self, data, indices, updates, mode=mode, axis=0))

    def add_one_hot(self, indices: Any, values: Any, depth: Any, axis: int) -> IOneHotLayer:
        """A new axis of size `depth`, a constant; `values` is [off, on]."""
        return self._added(IOneHotLayer(self, indices, values, depth, axis=axis))

    def add_non_zero(self, input: Any, indices_type: Any = DataType.INT32) -> INonZeroLayer:
        """The positions [rank, n] of what is not zero; n depends on the data."""
        return self._added(INonZeroLayer(self, input, indices_type=indices_type))

    def add_nms(
        self,
        boxes: Any,
        scores: Any,
        max_output_boxes_per_class: Any,
        indices_type: Any = DataType.INT32,
    ) -> INMSLayer:
        """The boxes [N, n, 4] with scores [N, n, classes] that stay; the limits are constants."""
        return self._added(
            INMSLayer(
                self,
                boxes,
                scores,
                max_output_boxes_per_class,
                bounding_box_format=BoundingBoxFormat.CORNER_PAIRS,
                indices_type=indices_type,
            )
        )


def _check_indices(known: torch.Tensor | None, axis: int, size: int) -> None:
    """Engines do not check indices; what they read beyond the axis differs from one to another."""
    if known is None or known.is_floating_point() or not known.numel():
        return
    least, most = (int(index) for index in known.aminmax())
    if least < 0:
        raise ValueError(f"indices has {least} for axis {axis}, expected no negative ones")
    if 0 <= size <= most:
        raise ValueError(f"indices has {most} for axis {axis}, expected less than its size, {size}")


def _check_tuples(known: torch.Tensor | None, sizes: Sequence[int]) -> None:
    if known is None or not known.dim():
        return
    for axis, (indices, size) in enumerate(zip(known.unbind(-1), sizes, strict=False)):
        _check_indices(indices, axis, size)


def is_zero(data: torch.Tensor | None) -> bool:
    """Is every element known to be zero?"""
    return data is not None and not bool(data.count_nonzero())
