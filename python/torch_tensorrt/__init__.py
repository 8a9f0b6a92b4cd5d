"""Torch-TensorRT: an inference compiler for PyTorch.

>>> import torch, torch_tensorrt
>>> model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU()).eval()
>>> fast = torch_tensorrt.compile(model, inputs=[torch.ones(1, 4)], min_block_size=1)
>>> fast(torch.ones(1, 4)).shape
torch.Size([1, 4])
"""

# torch first: the extension links its libraries; loading it registers the engine class with torch.
import torch  # noqa: F401

from torch_tensorrt import _C, _tensorrt, dynamo, fx, logging, runtime, ts, utils
from torch_tensorrt._compile import compile, convert_method_to_trt_engine
from torch_tensorrt._Device import Device
from torch_tensorrt._enums import DeviceType, EngineCapability, Platform, dtype, memory_format
from torch_tensorrt._features import ENABLED_FEATURES
from torch_tensorrt._Input import Input
from torch_tensorrt._report import Report, report
from torch_tensorrt._save import load, save
from torch_tensorrt._version import __version__
from torch_tensorrt.dynamo import MutableTorchTensorRTModule
from torch_tensorrt.runtime import TorchTensorRTModule
from torch_tensorrt.ts import dump_build_info, get_build_info, set_device

__all__ = [
    "ENABLED_FEATURES",
    "Device",
    "DeviceType",
    "EngineCapability",
    "Input",
    "MutableTorchTensorRTModule",
    "Platform",
    "Report",
    "TorchTensorRTModule",
    "__version__",
    "compile",
    "convert_method_to_trt_engine",
    "dtype",
    "dump_build_info",
    "dynamo",
    "fx",
    "get_build_info",
    "load",
    "logging",
    "memory_format",
    "report",
    "runtime",
    "save",
    "set_device",
    "ts",
    "utils",
]

_C.set_foreign_library(_tensorrt)
