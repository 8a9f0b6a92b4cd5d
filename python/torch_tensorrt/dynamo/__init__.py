"""The Dynamo frontend: compile what torch.export captures, or a torch.export.ExportedProgram."""

from torch_tensorrt.dynamo._compiler import (
    compile,
    convert_exported_program_to_serialized_trt_engine,
)
from torch_tensorrt.dynamo._tracer import export, trace

__all__ = [
    "compile",
    "convert_exported_program_to_serialized_trt_engine",
    "export",
    "trace",
]
