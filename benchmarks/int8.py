"""Models in eight bits: this project, OpenVINO's own API and Inductor, beside float32.

    int8.py [--models resnet50,minilm] [--threads 2] [--seconds 10]

torchao calibrates each model on random inputs; all sides run what it gives, at batch 1 with equal
threads, in turn, in one process. Prints a table of median milliseconds, as docs/quantization.md has
it.
"""

from __future__ import annotations

import argparse
import copy
import os
import sys
import warnings
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import openvino as ov
import torch
import torch_tensorrt
from e2e.models import MODELS
from openvino_native import call_of
from run import DEFAULT_MODELS, TOKENS
from timing import Call, timings
from torch._inductor import config as inductor
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e
from torchao.quantization.pt2e.quantizer import x86_inductor_quantizer as x86

SIDES = ("eager float32", "ours float32", "Inductor int8", "OpenVINO int8", "ours int8")


def observed(name: str) -> tuple[torch.nn.Module, torch.nn.Module, list[torch.Tensor]]:
    """The model, the same as torchao has observed it, and inputs."""
    model = MODELS[name]
    module = model.module()
    shapes = TOKENS if model.integers else model.shapes
    inputs = model.tensors(shapes)
    where = x86.X86InductorQuantizer()
    where.set_global(x86.get_default_x86_inductor_quantization_config())
    graph = torch.export.export(module, tuple(inputs), strict=True).module()
    graph.graph.eliminate_dead_code()  # the quantizer fails on layers whose results nothing reads
    seen = prepare_pt2e(graph, where)
    for seed in range(4):
        seen(*model.tensors(shapes, seed))
    return module, seen, inputs


def compiled(module: torch.nn.Module, inputs: list[torch.Tensor], threads: int) -> Any:
    return torch_tensorrt.compile(
        module, ir="dynamo", inputs=inputs, engine="openvino", num_threads=threads
    )


def milliseconds(name: str, options: Any) -> dict[str, float]:
    module, seen, inputs = observed(name)
    # OpenVINO's converter fails on weights that are integers already.
    unfolded = convert_pt2e(copy.deepcopy(seen), fold_quantize=False)
    integers = convert_pt2e(seen)
    ours = compiled(integers, inputs, options.threads)
    floats = compiled(module, inputs, options.threads)
    program = torch.export.export(unfolded, tuple(inputs))
    native, _ = call_of(ov.convert_model(program), inputs, options.threads)
    torch._dynamo.reset()
    with inductor.patch(freezing=True):
        inductor_int8 = torch.compile(integers)
        inductor_int8(*inputs)
    calls: dict[str, Call] = {
        "eager float32": lambda: module(*inputs),
        "ours float32": lambda: floats(*inputs),
        "Inductor int8": lambda: inductor_int8(*inputs),
        "OpenVINO int8": native,
        "ours int8": lambda: ours(*inputs),
    }
    return {side: timing.median for side, timing in timings(calls, options.seconds).items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default=",".join(DEFAULT_MODELS), help="comma-separated")
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--seconds", type=float, default=10.0, help="per model")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_grad_enabled(False)
    torch.set_num_threads(options.threads)
    print("| model |", " | ".join(SIDES), "| OpenVINO / ours |")
    print("|---|" + "--:|" * (len(SIDES) + 1))
    for name in options.models.split(","):
        ms = milliseconds(name, options)
        ratio = ms["OpenVINO int8"] / ms["ours int8"]
        print(f"| {name} |", " | ".join(f"{ms[side]:.1f}" for side in SIDES), f"| {ratio:.2f} |")


if __name__ == "__main__":
    main()
