"""Engines: which there are, and the class that runs them inside a compiled module."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch

from torch_tensorrt import _C
from torch_tensorrt.runtime._modes import (
    enable_cudagraphs,
    enable_pre_allocated_outputs,
    get_cudagraphs_mode,
    set_cudagraphs_mode,
    set_multi_device_safe_mode,
    weight_streaming,
)
from torch_tensorrt.runtime._module import TorchTensorRTModule

__all__ = [
    "EngineInfo",
    "TorchTensorRTModule",
    "available_engines",
    "enable_cudagraphs",
    "enable_pre_allocated_outputs",
    "engine_class",
    "get_cudagraphs_mode",
    "set_cudagraphs_mode",
    "set_multi_device_safe_mode",
    "weight_streaming",
]


class EngineInfo(NamedTuple):
    """An engine plugin: whether it can run here, its library's version, or why not."""

    name: str
    available: bool
    version: str
    reason: str


def available_engines() -> list[EngineInfo]:
    """All engine plugins found, also those that cannot run here.

    >>> [engine.name for engine in available_engines() if engine.available]  # doctest: +ELLIPSIS
    [...'reference'...]
    """
    return [EngineInfo(*row) for row in _C.engines()]


def engine_class() -> Any:
    """`torch.classes.tensorrt.Engine`, the type of a compiled module's engines."""
    return torch.classes.tensorrt.Engine
