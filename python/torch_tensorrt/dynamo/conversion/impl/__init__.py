"""Building blocks for converters: functions of tensors and numbers that add layers."""

from torch_tensorrt.dynamo.conversion.impl import activation, elementwise, unary

__all__ = ["activation", "elementwise", "unary"]
