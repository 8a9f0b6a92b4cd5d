"""What users add to the lowering of exported programs: decompositions and passes."""

from torch_tensorrt._program.decompositions import decompositions, register_torch_trt_decomposition
from torch_tensorrt.dynamo.lowering.passes import (
    _aten_lowering_pass,
    _remove_lowering_pass,
    dump_lowering_passes,
    run_passes,
)

__all__ = [
    "_aten_lowering_pass",
    "_remove_lowering_pass",
    "decompositions",
    "dump_lowering_passes",
    "register_torch_trt_decomposition",
    "run_passes",
]
