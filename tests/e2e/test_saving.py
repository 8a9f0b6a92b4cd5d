"""Compiled programs in files: every format gives the same numbers in a fresh process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch_tensorrt
from e2e.checks import assert_close
from e2e.models import MODELS

LOAD = """
import sys, torch
import torch_tensorrt.runtime
path, inputs, results, kind = sys.argv[1:]
if kind == "torchscript":
    module = torch.jit.load(path)
elif kind == "exported_program":
    module = torch.export.load(path).module()
else:
    module = torch._inductor.aoti_load_package(path)
with torch.no_grad():
    torch.save([module(*call) for call in torch.load(inputs)], results)
"""
FORMATS = ("torchscript", "exported_program", "aot_inductor")


def in_a_fresh_process(path: Path, calls: list[list[torch.Tensor]], kind: str) -> list[object]:
    inputs, results = path.with_suffix(".in"), path.with_suffix(".out")
    torch.save(calls, inputs)
    command = [sys.executable, "-c", LOAD, str(path), str(inputs), str(results), kind]
    subprocess.run(command, check=True)
    loaded: list[object] = torch.load(results)
    return loaded


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("name", ["resnet18", "minilm", "gpt2"])
def test_a_fresh_process_gives_the_same(name: str, kind: str, tmp_path: Path) -> None:
    if kind == "aot_inductor" and name != "resnet18":
        pytest.skip("compiling C++ takes long; one model shows it")
    model = MODELS[name]
    assert model.smallest
    assert model.between
    module = model.module()
    fast = torch_tensorrt.compile(
        module, inputs=model.ranges(), engine="openvino", torch_executed_ops={"aten::gelu"}
    )
    path = tmp_path / ("fast.ts" if kind == "torchscript" else "fast.pt2")
    torch_tensorrt.save(fast, path, output_format=kind)
    calls = [model.tensors(shapes) for shapes in (model.smallest, model.between)]
    for call, got in zip(calls, in_a_fresh_process(path, calls, kind), strict=True):
        assert_close(got, module(*call))


def test_what_cannot_be_saved_says_so(tmp_path: Path) -> None:
    path = tmp_path / "x.pt2"
    with pytest.raises(ValueError, match="module is a Linear, expected what"):
        torch_tensorrt.save(torch.nn.Linear(1, 1), path)
    fast = torch_tensorrt.compile(torch.nn.Linear(4, 2).eval(), inputs=[(1, 4)], min_block_size=1)
    with pytest.raises(ValueError, match="output_format is 'onnx', expected one of"):
        torch_tensorrt.save(fast, path, output_format="onnx")
    script = torch_tensorrt.compile(
        torch.nn.Linear(4, 2).eval(), ir="ts", inputs=[(1, 4)], min_block_size=1
    )
    with pytest.raises(ValueError, match="expected 'torchscript' for a ScriptModule"):
        torch_tensorrt.save(script, path, output_format="exported_program")
