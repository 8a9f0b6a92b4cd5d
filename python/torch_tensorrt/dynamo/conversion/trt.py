"""TensorRT's names for converters where `import tensorrt as trt` finds nothing.

    from torch_tensorrt.dynamo.conversion import trt

Layers take tensorrt's own enums, Dims, Permutation and Weights as well. A member here equals
tensorrt's of the same name, compared in this order: `tensor.dtype == tensorrt.float32`.

>>> ActivationType.RELU.name
'RELU'
>>> volume((2, 3))
6
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from torch_tensorrt._enums import dtype as _dtype
from torch_tensorrt.dynamo.conversion._enums import (
    ActivationType,
    AttentionNormalizationOp,
    BoundingBoxFormat,
    CausalMaskKind,
    CumulativeOperation,
    DataType,
    Dims,
    ElementWiseOperation,
    FillOperation,
    GatherMode,
    InterpolationMode,
    MatrixOperation,
    PaddingMode,
    Permutation,
    PoolingType,
    ReduceOperation,
    ResizeCoordinateTransformation,
    ResizeRoundMode,
    ResizeSelector,
    SampleMode,
    ScaleMode,
    ScatterMode,
    TopKOperation,
    UnaryOperation,
)
from torch_tensorrt.dynamo.conversion._layer import ILayer, ITensor, Weights
from torch_tensorrt.dynamo.conversion._network import INetworkDefinition
from torch_tensorrt.dynamo.conversion._plugins import (
    PluginField,
    PluginFieldCollection,
    PluginFieldType,
    TensorRTPhase,
    get_plugin_registry,
)

ResizeMode = InterpolationMode  # as before TensorRT 10
float32 = DataType.FLOAT
float16 = DataType.HALF
bfloat16 = DataType.BF16
int64 = DataType.INT64
int32 = DataType.INT32
int8 = DataType.INT8
uint8 = DataType.UINT8
int4 = DataType.INT4
fp8 = DataType.FP8
fp4 = DataType.FP4
bool = DataType.BOOL


def volume(shape: Iterable[int]) -> int:
    """The number of elements of that shape."""
    return math.prod(shape)


def nptype(trt_type: Any) -> Any:
    """The NumPy type of the same elements.

    >>> nptype(DataType.FLOAT)
    dtype('float32')
    """
    return _dtype(DataType.of(trt_type).value).to(np.dtype)


__all__ = [
    "ActivationType",
    "AttentionNormalizationOp",
    "BoundingBoxFormat",
    "CausalMaskKind",
    "CumulativeOperation",
    "DataType",
    "Dims",
    "ElementWiseOperation",
    "FillOperation",
    "GatherMode",
    "ILayer",
    "INetworkDefinition",
    "ITensor",
    "InterpolationMode",
    "MatrixOperation",
    "PaddingMode",
    "Permutation",
    "PluginField",
    "PluginFieldCollection",
    "PluginFieldType",
    "PoolingType",
    "ReduceOperation",
    "ResizeCoordinateTransformation",
    "ResizeMode",
    "ResizeRoundMode",
    "ResizeSelector",
    "SampleMode",
    "ScaleMode",
    "ScatterMode",
    "TensorRTPhase",
    "TopKOperation",
    "UnaryOperation",
    "Weights",
    "bfloat16",
    "bool",
    "float16",
    "float32",
    "fp4",
    "fp8",
    "get_plugin_registry",
    "int4",
    "int8",
    "int32",
    "int64",
    "nptype",
    "uint8",
    "volume",
]
