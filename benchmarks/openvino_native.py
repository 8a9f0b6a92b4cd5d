"""OpenVINO's own Python API, as its documentation says to use it for the lowest latency."""

from __future__ import annotations

from typing import Any

import openvino as ov
import torch
from timing import Call


def openvino_call(
    module: torch.nn.Module, inputs: list[torch.Tensor], threads: int
) -> tuple[Call, Any]:
    """A call with inputs and results shared, and its infer request."""
    converted = ov.convert_model(
        module, example_input=tuple(inputs), input=[list(t.shape) for t in inputs]
    )
    return call_of(converted, inputs, threads)


def call_of(converted: ov.Model, inputs: list[torch.Tensor], threads: int) -> tuple[Call, Any]:
    """The same of a model that OpenVINO has converted."""
    options = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": threads,
    }
    request = ov.Core().compile_model(converted, "CPU", options).create_infer_request()
    arrays = [t.numpy() for t in inputs]

    def call() -> Any:
        return request.infer(arrays, share_inputs=True, share_outputs=True)

    return call, request
