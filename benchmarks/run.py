"""PyTorch, OpenVINO's own API and this project, side by side on this machine's CPU.

    run.py [--models resnet50,minilm] [--threads 2] [--seconds 8] [--json file]

All three compute the same model in float32 at batch 1 with equal threads, in turn, in one process:
a block of calls of each, again and again. Prints medians with their interquartile range and the
ratios of medians, and writes the same as JSON into benchmarks/results/.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
import warnings
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import openvino as ov
import torch
import torch_tensorrt
from e2e.models import MODELS, Model
from openvino_native import openvino_call
from timing import Call, timings

DEFAULT_MODELS = ("resnet50", "mobilenet_v3_large", "efficientnet_b0", "vit_b_16", "minilm")
TOKENS = ((1, 32), (1, 32))  # batch 1 of a sentence's length, ids and mask
TINY = (1, 8)


def compile_ours(
    module: torch.nn.Module, inputs: list[torch.Tensor], threads: int, **settings: Any
) -> torch.jit.ScriptModule:
    traced = torch.jit.trace(module, tuple(inputs), check_trace=False)
    return torch_tensorrt.compile(
        traced, ir="ts", inputs=inputs, engine="openvino", num_threads=threads, **settings
    )


def run_model(model: Model, shapes: tuple[tuple[int, ...], ...], options: Any) -> dict[str, Any]:
    module = model.module()
    inputs = model.tensors(shapes)
    start = time.perf_counter()
    fast = compile_ours(module, inputs, options.threads)
    compile_seconds = time.perf_counter() - start
    native, _ = openvino_call(module, inputs, options.threads)
    expected, got = module(*inputs), fast(*inputs)
    error = (got - expected).abs().max().item() / expected.abs().max().item()
    calls: dict[str, Call] = {
        "eager": lambda: module(*inputs),
        "openvino": native,
        "ours": lambda: fast(*inputs),
    }
    found = timings(calls, options.seconds)
    return {
        "ms": {name: asdict(timing) for name, timing in found.items()},
        "speedup_over_eager": found["eager"].median / found["ours"].median,
        "relative_to_openvino": found["openvino"].median / found["ours"].median,
        "relative_error": error,
        "compile_seconds": compile_seconds,
        "summary": torch_tensorrt.report(fast).summary,
    }


def run_overhead(options: Any) -> dict[str, Any]:
    """Microseconds of a module of one engine, of its op, and of a bare infer request."""
    module = torch.nn.ReLU().eval()
    inputs = [torch.rand(TINY)]
    fast = compile_ours(module, inputs, options.threads, min_block_size=1)
    _, request = openvino_call(module, inputs, options.threads)
    request.set_input_tensor(ov.Tensor(inputs[0].numpy(), shared_memory=True))
    engine = fast.forward_engine_0
    execute = torch.ops.tensorrt.execute_engine.default
    calls: dict[str, Call] = {
        "infer_request": request.infer,
        "module": lambda: fast(inputs[0]),
        "op": lambda: execute(inputs, engine),
    }
    found = {name: t.median * 1e3 for name, t in timings(calls, options.seconds).items()}
    return {"us": found, "overhead_us": found["module"] - found["infer_request"]}


def run_hybrid(options: Any) -> dict[str, Any]:
    """An engine, an op in PyTorch, an engine: beside each engine alone and the op alone.

    The sum of the parts is what it would cost if neither's threads stood in the other's way.
    """
    torch.manual_seed(0)

    def block() -> torch.nn.Module:
        return torch.nn.Sequential(
            *[
                layer
                for _ in range(4)
                for layer in (torch.nn.Conv2d(32, 32, 3, padding=1), torch.nn.ReLU())
            ]
        )

    first, second = block().eval(), block().eval()

    class Hybrid(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = first, second

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.second(torch.erfinv(self.first(x)))

    inputs = [torch.rand(1, 32, 64, 64)]
    hybrid = compile_ours(
        Hybrid().eval(), inputs, options.threads, torch_executed_ops={"aten::erfinv"}
    )
    between = first(inputs[0])
    engines = [
        compile_ours(part, [x], options.threads)
        for part, x in ((first, inputs[0]), (second, between))
    ]
    calls: dict[str, Call] = {
        "hybrid": lambda: hybrid(inputs[0]),
        "first engine": lambda: engines[0](inputs[0]),
        "op": lambda: torch.erfinv(between),
        "second engine": lambda: engines[1](between),
    }
    found = {name: t.median for name, t in timings(calls, options.seconds).items()}
    parts = sum(ms for name, ms in found.items() if name != "hybrid")
    return {"ms": found, "relative_to_sum": found["hybrid"] / parts}


def print_results(results: dict[str, Any]) -> None:
    print(f"\n{'model':<20}{'eager ms':>18}{'openvino ms':>18}{'ours ms':>18}", end="")
    print(f"{'vs eager':>10}{'vs openvino':>13}{'error':>10}")
    for name, row in results["models"].items():
        print(f"{name:<20}", end="")
        for who in ("eager", "openvino", "ours"):
            timing = row["ms"][who]
            print(f"{timing['median']:>10.2f} ±{timing['iqr'] / 2:<6.2f}", end="")
        print(f"{row['speedup_over_eager']:>9.2f}x", end="")
        print(f"{row['relative_to_openvino']:>12.3f} {row['relative_error']:>9.0e}")
    if hybrid := results.get("hybrid"):
        times = ", ".join(f"{name} {ms:.2f} ms" for name, ms in hybrid["ms"].items())
        print(f"\nalternating: {times}; {hybrid['relative_to_sum']:.3f} x the sum of its parts")
    if overhead := results.get("overhead"):
        times = ", ".join(f"{name} {us:.1f} us" for name, us in overhead["us"].items())
        print(f"\none call of a tiny model: {times}; overhead {overhead['overhead_us']:.1f} us")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default=",".join(DEFAULT_MODELS), help="comma-separated")
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--seconds", type=float, default=8.0, help="per model")
    parser.add_argument("--json", type=Path, help="file to write instead of results/<time>.json")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_grad_enabled(False)
    torch.set_num_threads(options.threads)

    results: dict[str, Any] = {
        "machine": platform.processor() or platform.machine(),
        "threads": options.threads,
        "torch": torch.__version__,
        "openvino": ov.__version__,
        "torch_tensorrt": torch_tensorrt.__version__,
        "models": {},
    }
    for name in options.models.split(","):
        print(f"{name} ...", file=sys.stderr, flush=True)
        model = MODELS[name]
        shapes = TOKENS if model.integers else model.shapes
        results["models"][name] = run_model(model, shapes, options)
    results["hybrid"] = run_hybrid(options)
    results["overhead"] = run_overhead(options)

    print_results(results)
    folder = Path(__file__).parent / "results"
    path = options.json or folder / f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%S}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results, indent=2))
    print(f"written to {path}")


if __name__ == "__main__":
    main()
