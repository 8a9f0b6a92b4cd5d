"""The TorchScript frontend: compile torch.jit modules, with no Python needed to run the result."""

from torch_tensorrt.ts import logging
from torch_tensorrt.ts._compiler import (
    check_method_op_support,
    compile,
    convert_method_to_trt_engine,
    embed_engine_in_new_module,
)
from torch_tensorrt.ts._utils import dump_build_info, get_build_info, set_device

__all__ = [
    "check_method_op_support",
    "compile",
    "convert_method_to_trt_engine",
    "dump_build_info",
    "embed_engine_in_new_module",
    "get_build_info",
    "logging",
    "set_device",
]
