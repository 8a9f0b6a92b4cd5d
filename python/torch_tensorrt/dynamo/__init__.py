"""The Dynamo frontend: compile what torch.export captures, or a torch.export.ExportedProgram."""

from torch_tensorrt._settings import CompilationSettings
from torch_tensorrt.dynamo import conversion, lowering
from torch_tensorrt.dynamo._backend import compiled_graphs
from torch_tensorrt.dynamo._compiler import (
    compile,
    convert_exported_program_to_serialized_trt_engine,
)
from torch_tensorrt.dynamo._mutable import MutableTorchTensorRTModule
from torch_tensorrt.dynamo._refit import refit_module_weights
from torch_tensorrt.dynamo._tracer import export, trace

__all__ = [
    "CompilationSettings",
    "MutableTorchTensorRTModule",
    "compile",
    "compiled_graphs",
    "conversion",
    "convert_exported_program_to_serialized_trt_engine",
    "export",
    "lowering",
    "refit_module_weights",
    "trace",
]
