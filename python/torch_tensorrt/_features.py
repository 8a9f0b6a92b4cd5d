"""What this build of the package can do."""

from __future__ import annotations

from typing import NamedTuple


class FeatureSet(NamedTuple):
    """One flag a feature."""

    torchscript_frontend: bool
    torch_tensorrt_runtime: bool
    dynamo_frontend: bool
    fx_frontend: bool
    refit: bool
    qdp_plugin: bool
    windows_cross_compile: bool
    tensorrt_rtx: bool
    trtllm_for_nccl: bool
    native_trt_collectives: bool
    complex_decomposition: bool


ENABLED_FEATURES = FeatureSet(
    torchscript_frontend=True,
    torch_tensorrt_runtime=True,
    dynamo_frontend=True,
    fx_frontend=True,
    refit=True,
    qdp_plugin=False,
    windows_cross_compile=False,
    tensorrt_rtx=False,
    trtllm_for_nccl=False,
    native_trt_collectives=False,
    complex_decomposition=False,
)
"""What this build can do; to ask for a frontend that is False raises NotImplementedError."""
