"""Converters that users write in Python; docs/converters.md explains them."""

from torch_tensorrt.dynamo.conversion import plugins, trt
from torch_tensorrt.dynamo.conversion._call import ConverterError
from torch_tensorrt.dynamo.conversion._context import (
    ConversionContext,
    ConverterPriority,
)
from torch_tensorrt.dynamo.conversion._plugins import Plugin
from torch_tensorrt.dynamo.conversion._registry import (
    DYNAMO_CONVERTERS,
    ConverterRegistry,
    ConverterSupport,
    dynamo_tensorrt_converter,
)

__all__ = [
    "DYNAMO_CONVERTERS",
    "ConversionContext",
    "ConverterError",
    "ConverterPriority",
    "ConverterRegistry",
    "ConverterSupport",
    "Plugin",
    "dynamo_tensorrt_converter",
    "plugins",
    "trt",
]
