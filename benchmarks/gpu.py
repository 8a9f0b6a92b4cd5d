"""PyTorch, torch.compile and this project, side by side on this machine's NVIDIA GPU.

    gpu.py [--models resnet50,minilm] [--seconds 8] [--json file]

All compute the same model in float32 without TF32 at batch 1, in turn, in one process; a call ends
when the GPU has finished. The engine is the one that `engine="auto"` takes: TensorRT where it is
installed, else the reference, which calls PyTorch layer by layer. The last line counts the models:
a failed one is refused, or its results are not PyTorch's; without a GPU all are skipped.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
import torch_tensorrt
from e2e.models import MODELS
from timing import Call, timings

# Of the largest result: float32 in another order of sums.
LARGEST_ERROR = 1e-3
DEFAULT_MODELS = ("resnet50", "mobilenet_v3_large", "efficientnet_b0", "vit_b_16")


def synchronized(call: Call) -> Call:
    def finish() -> Any:
        result = call()
        torch.cuda.synchronize()
        return result

    return finish


def with_graphs(module: Any, inputs: list[torch.Tensor]) -> Call:
    def call() -> Any:
        torch_tensorrt.runtime.set_cudagraphs_mode(True)
        result = module(*inputs)
        torch_tensorrt.runtime.set_cudagraphs_mode(False)
        return result

    return call


def run_model(name: str, seconds: float) -> dict[str, Any]:
    model = MODELS[name]
    module = model.module().cuda()
    inputs = [tensor.cuda() for tensor in model.tensors(model.shapes)]
    fast = torch_tensorrt.compile(module, ir="ts", inputs=inputs)
    inductor = torch.compile(module)
    calls = {
        "eager": lambda: module(*inputs),
        "inductor": lambda: inductor(*inputs),
        "ours": lambda: fast(*inputs),
    }
    report = torch_tensorrt.report(fast)
    # The reference engine records none.
    if any(engine["plugin"] != "reference" for engine in report.engines):
        calls["ours, graphs"] = with_graphs(fast, inputs)
    expected, got = module(*inputs), fast(*inputs)
    found = timings({who: synchronized(call) for who, call in calls.items()}, seconds)
    return {
        "ms": {who: asdict(timing) for who, timing in found.items()},
        "relative_error": ((got - expected).abs().max() / expected.abs().max()).item(),
        "summary": report.summary,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default=",".join(DEFAULT_MODELS), help="comma-separated")
    parser.add_argument("--seconds", type=float, default=8.0, help="per model")
    parser.add_argument("--json", type=Path, help="file to write the numbers to")
    options = parser.parse_args()
    names = options.models.split(",")
    if not torch.cuda.is_available():
        print(f"0 passed, 0 failed, {len(names)} skipped: no NVIDIA GPU is here")
        return 0
    warnings.filterwarnings("ignore")
    torch.set_grad_enabled(False)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    results: dict[str, Any] = {"gpu": torch.cuda.get_device_name(), "torch": torch.__version__}
    results["models"] = {}
    print(f"{results['gpu']}, torch {torch.__version__}; ms a call, median")
    failed = 0
    for name in names:
        try:
            row = results["models"][name] = run_model(name, options.seconds)
        except Exception as error:  # the other models go on
            print(f"{name:<20} failed: {type(error).__name__}: {error}")
            failed += 1
            continue
        times = "  ".join(f"{who} {timing['median']:.3f}" for who, timing in row["ms"].items())
        print(f"{name:<20} {times}  error {row['relative_error']:.0e}  {row['summary']}")
        failed += row["relative_error"] > LARGEST_ERROR
    if options.json:
        options.json.write_text(json.dumps(results, indent=2))
    print(f"{len(names) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
