"""Compiles every model of torchvision and writes docs/torchvision.md.

    torchvision_table.py               all models that the results lack, then the page
    torchvision_table.py vit_h_14 ..   these again, then the page
    torchvision_table.py --page        the page alone

Random weights, float32, batch 1. Detection models are scripted (their post-processing is control
flow), all others captured by torch.export. Each runs in a process of its own; the results live in
build/torchvision_table.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import textwrap
import time
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "build" / "torchvision_table.json"
PAGE = ROOT / "docs" / "torchvision.md"
TOLERANCE = 1e-4
LIMIT = 900  # seconds a model

Row = dict[str, Any]


def family_of(name: str) -> str:
    """The module of torchvision.models that has it: classification has no name of its own there."""
    import torchvision

    module = torchvision.models.get_model_builder(name).__module__.removeprefix(
        "torchvision.models."
    )
    family = module.split(".")[0]
    return family if "." in module else "classification"


def example(name: str, family: str) -> list[Any]:
    import torch

    torch.manual_seed(0)
    if family == "video":
        size = 224 if name.startswith(("mvit", "swin", "s3d")) else 112
        return [torch.rand(1, 3, 16, size, size)]
    if family == "optical_flow":
        return [torch.rand(1, 3, 128, 128), torch.rand(1, 3, 128, 128)]
    if family == "detection":
        return [[torch.rand(3, 320, 320)]]
    size = {"inception_v3": 299, "vit_h_14": 224}.get(name, 224)
    return [torch.rand(1, 3, size, size)]


def build(name: str, family: str) -> Any:
    """With random weights, none of which is zero: some classifiers start with zeros."""
    import torch
    import torchvision

    torch.manual_seed(0)
    options: Row = {"weights": None}
    if family in ("segmentation", "detection"):
        options["weights_backbone"] = None
    if name in ("googlenet", "inception_v3"):
        options["init_weights"] = True
    module = torchvision.models.get_model(name, **options).eval()
    with torch.no_grad():
        for part in module.modules():
            if isinstance(part, torch.nn.Linear) and not part.weight.any():
                torch.nn.init.normal_(part.weight, std=0.02)
    return module


def tensors_of(value: Any) -> list[Any]:
    import torch

    if isinstance(value, torch.Tensor):
        return [value]
    parts = value.values() if isinstance(value, dict) else value
    return [tensor for part in parts for tensor in tensors_of(part)] if parts else []


def error_of(got: Any, expected: Any, *, same_dtype: bool = True) -> float:
    """The largest difference, relative to the largest number; infinite where types differ."""
    pairs = list(zip(tensors_of(got), tensors_of(expected), strict=True))
    worst = 0.0
    for a, b in pairs:
        if a.shape != b.shape or (same_dtype and a.dtype != b.dtype):
            return float("inf")
        if b.numel():
            scale = max(b.double().abs().max().item(), 1e-30)
            worst = max(worst, (a.double() - b.double()).abs().max().item() / scale)
    return worst


def run(name: str) -> Row:
    import torch
    import torch_tensorrt

    warnings.filterwarnings("ignore")
    torch.set_grad_enabled(False)
    family = family_of(name)
    module, inputs = build(name, family), example(name, family)
    start = time.perf_counter()
    options: Row = {"cache_built_engines": False}
    if family == "detection":
        captured: Any = torch.jit.script(module)
        options |= {"ir": "ts", "inputs": [[torch_tensorrt.Input(shape=(3, 320, 320))]]}
        options |= {"min_block_size": 1}
    else:
        captured = torch_tensorrt.dynamo.trace(module, inputs=inputs)
        options |= {"inputs": inputs}
    middle = time.perf_counter()
    fast = torch_tensorrt.compile(captured, **options)
    done = time.perf_counter()
    report = torch_tensorrt.report(fast)
    reference = captured if family == "detection" else module
    expected = reference(*inputs)
    error = error_of(fast(*inputs), expected)
    own = {}
    if family == "detection" and error > TOLERANCE:
        exact = torch.jit.script(module.double())([image.double() for image in inputs[0]])
        own = {"own_error": error_of(expected, exact, same_dtype=False)}
    return own | {
        "family": family,
        "capture_s": middle - start,
        "compile_s": done - middle,
        "engines": len(report.engines),
        "in_engine": report.data["engine_ops"],
        "in_pytorch": dict(Counter(node["op"] for node in report.in_pytorch)),
        "error": error,
    }


def in_process(name: str) -> Row:
    command = [sys.executable, __file__, "--one", name]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    except subprocess.TimeoutExpired:
        return {"failure": f"longer than {LIMIT} s"}
    lines = done.stdout.strip().splitlines()
    if done.returncode == 0 and lines:
        row: Row = json.loads(lines[-1])
        return row
    last = (done.stderr.strip().splitlines() or ["no message"])[-1]
    return {"failure": last[:300]}


def stayed(row: Row) -> str:
    ops: Counter[str] = Counter(row["in_pytorch"])
    shown = ", ".join(f"{op.removeprefix('aten::')} {n}" for op, n in ops.most_common(4))
    return f"{sum(ops.values())}: {shown}{', ..' if len(ops) > 4 else ''}" if ops else "0"


def is_right(row: Row) -> bool:
    """Within the tolerance, or nearer to PyTorch than PyTorch's float32 is to its float64."""
    return row.get("error", float("inf")) <= max(TOLERANCE, row.get("own_error", 0))


def page(results: dict[str, Row]) -> str:
    plain = [
        r
        for r in results.values()
        if r.get("family") in ("classification", "segmentation", "video")
    ]
    whole = sum(r["engines"] == 1 and not r["in_pytorch"] for r in plain)
    right = sum(is_right(r) for r in results.values())
    text = (
        "Every model of `torchvision.models`, with random weights, in float32 and at batch 1, on a "
        "machine with two CPU cores; written by `tools/torchvision_table.py`. Detection models are "
        "scripted, and their post-processing stays in PyTorch; all others are captured by "
        "torch.export. The error is the largest difference from PyTorch, relative to the largest "
        f"number. Random detectors amplify rounding: where theirs is above {TOLERANCE:.0e}, the "
        "error of PyTorch's own float32 against its float64 stands behind it.\n\n"
        f"Right to {TOLERANCE:.0e} or to PyTorch's own error: {right} of {len(results)}. One "
        f"engine and nothing left in PyTorch: {whole} of the {len(plain)} of classification, "
        "segmentation and video."
    )
    lines = [
        "# Models of torchvision",
        "",
        *(line for part in text.split("\n\n") for line in (*textwrap.wrap(part, 120), "")),
        "| model | family | engines | ops in them | in PyTorch | compile | error |",
        "|---|---|--:|--:|---|--:|--:|",
    ]
    for name, row in sorted(results.items(), key=lambda item: (item[1].get("family", ""), item[0])):
        if "failure" in row:
            lines.append(f"| {name} | | | | {row['failure']} | | |")
            continue
        own = f" of {row['own_error']:.0e}" if "own_error" in row else ""
        lines.append(
            f"| {name} | {row['family']} | {row['engines']} | {row['in_engine']} | {stayed(row)} "
            f"| {row['compile_s']:.1f} s | {row['error']:.0e}{own} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*")
    parser.add_argument("--page", action="store_true")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    if options.one:
        print(json.dumps(run(options.one)))
        return
    import torchvision

    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    # Quantized models' weights are packed by another backend than this one.
    names = [n for n in torchvision.models.list_models() if not n.startswith("quantized_")]
    wanted = options.models or [name for name in names if name not in results]
    for name in [] if options.page else wanted:
        results[name] = in_process(name)
        RESULTS.write_text(json.dumps(results, indent=1))
        print(name, results[name], flush=True)
    PAGE.write_text(page(results))


if __name__ == "__main__":
    main()
