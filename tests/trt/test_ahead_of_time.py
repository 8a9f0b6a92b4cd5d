"""Plans for GPUs that are not here, in a file that runs here all the same."""

import json
import os
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

import pytest
import torch
import torch_tensorrt
from e2e.checks import assert_close
from torch import nn
from torch_tensorrt import _tensorrt
from trt.programs import caught

BATCH = torch_tensorrt.Input(min_shape=(1, 8), opt_shape=(2, 8), max_shape=(4, 8))
TORCHTRTC = Path(sys.executable).parent / "torchtrtc"


def model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 4)).eval()


def compiled(ir: str = "dynamo", **options: object) -> torch.nn.Module:
    module = torch.jit.script(model()) if ir == "ts" else model()
    options = {"engine": "tensorrt_rtx", "target": ["sm_89"], "min_block_size": 1, **options}
    return torch_tensorrt.compile(module, ir=ir, inputs=[BATCH], **options)


@pytest.mark.usefixtures("tensorrt_rtx")
@pytest.mark.parametrize("ir", ["dynamo", "ts", "fx"])
def test_one_file_has_the_plans_and_runs_here(ir: str, tmp_path: Path) -> None:
    fast = compiled(ir, target=["sm_86", "sm_89", "sm_120"])
    (engine,) = torch_tensorrt.report(fast).engines
    assert engine["plugin"] == "tensorrt_rtx"
    for size in (1, 3, 4):
        x = torch.rand(size, 8)
        assert_close(fast(x), model()(x))
    one = compiled(ir)
    grown = [
        torch_tensorrt.save(module, tmp_path / name, output_format="torchscript", inputs=[x])
        or (tmp_path / name).stat().st_size
        for module, name in ((one, "one.ts"), (fast, "three.ts"))
    ]
    assert grown[1] > grown[0] + 2 * 4 * 16 * 8
    again = torch.jit.load(str(tmp_path / "three.ts"))
    assert_close(again(x), model()(x))


@pytest.mark.usefixtures("tensorrt_rtx")
def test_unknown_architectures_are_named() -> None:
    with pytest.raises(ValueError, match=r"target is 'sm_12'.*sm_89"):
        compiled(target=["sm_89", "sm_12"])


@pytest.mark.usefixtures("tensorrt_rtx")
def test_a_failed_build_leaves_no_builder_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    with caught("1.7.1") as programs:
        compiled()
    program = programs[-1]
    weights = program.pop("data")
    program["options"]["target"] = "sm_12"
    players = []
    made = _tensorrt._Player.__init__

    def noting(self: Any, *arguments: Any) -> None:
        players.append(weakref.ref(self))
        made(self, *arguments)

    monkeypatch.setattr(_tensorrt._Player, "__init__", noting)
    with pytest.raises(RuntimeError, match="sm_12") as error:
        _tensorrt.build("tensorrt_rtx", json.dumps(program), weights)
    assert error.value.__traceback__ is not None
    assert [player() for player in players] == [None]


def test_a_target_needs_an_engine() -> None:
    with pytest.raises(ValueError, match="expected the engine to build with"):
        compiled(engine="auto")


def test_without_a_target_the_gpu_must_be_here() -> None:
    with (
        caught("1.7.1") as programs,
        pytest.raises(ValueError, match="does not run on the CPU, where the model is"),
    ):
        compiled(target=[])
    assert programs == []


def test_settings_reach_the_builder() -> None:
    with caught("1.7.1") as programs:
        compiled(
            optimization_level=2,
            workspace_size=1 << 20,
            sparse_weights=True,
            disable_tf32=True,
            version_compatible=True,
            max_aux_streams=1,
            tiling_optimization_level="fast",
        )
    options = programs[-1]["options"]
    assert options["target"] == "sm_89"
    assert (options["optimization_level"], options["workspace_size"]) == (2, 1 << 20)
    assert (options["tf32"], options["sparse_weights"]) == (False, True)
    assert (options["version_compatible"], options["max_aux_streams"]) == (True, 1)
    assert options["tiling_optimization_level"] == "fast"


# TensorRT-RTX makes kernels for these while it builds, which needs the GPU, or another library.
NEEDS_MORE = {
    "refit": "CUDA",
    "refit_identical_engine_weights": "CUDA",
    "strip_engine_weights": "CUDA",
    "version_compatible": "libnvinfer_lean",
}


@pytest.mark.usefixtures("tensorrt_rtx")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("optimization_level", 1),
        ("workspace_size", 1 << 24),
        ("disable_tf32", True),
        ("sparse_weights", True),
        ("hardware_compatible", True),
        ("max_aux_streams", 1),
        ("tiling_optimization_level", "fast"),
        ("l2_limit_for_tiling", 1 << 20),
        ("enable_weight_streaming", True),
        *((name, True) for name in NEEDS_MORE),
    ],
)
def test_real_builds_take_the_settings(name: str, value: object) -> None:
    options = {name: value, "pass_through_build_failures": True}
    if name in NEEDS_MORE:
        with pytest.raises(NotImplementedError, match=NEEDS_MORE[name]):
            compiled(**options)
    else:
        assert torch_tensorrt.report(compiled(**options)).in_pytorch == []


@pytest.mark.usefixtures("tensorrt_rtx")
def test_command_line(tmp_path: Path) -> None:
    torch.jit.script(model()).save(str(tmp_path / "model.ts"))
    done = subprocess.run(
        [
            TORCHTRTC, "--engine", "tensorrt_rtx", "--target", "sm_89", "--mbs", "1", "--info",
            tmp_path / "model.ts", tmp_path / "out.ts", "[(1,8);(2,8);(4,8)]",
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TORCHTRT_PYTHON": sys.executable},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "tensorrt_rtx: 1 engine" in done.stdout + done.stderr
    x = torch.rand(3, 8)
    assert_close(torch.jit.load(str(tmp_path / "out.ts"))(x), model()(x))


WITHOUT = """
import sys
sys.modules["tensorrt_rtx"] = sys.modules["tensorrt"] = None  # as if not installed
import torch, torch_tensorrt
engines = {e.name: e for e in torch_tensorrt.runtime.available_engines()}
for name in ("tensorrt", "tensorrt_rtx"):
    assert not engines[name].available
    print(engines[name].reason)
torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(8, 4), torch.nn.ReLU()).eval()
x = torch.rand(2, 8)
for ir in ("dynamo", "ts", "fx"):
    fast = torch_tensorrt.compile(model, ir=ir, inputs=[x], min_block_size=1)
    torch.testing.assert_close(fast(x), model(x), rtol=1e-4, atol=1e-5)
    print(torch_tensorrt.report(fast))
try:
    torch_tensorrt.compile(model, inputs=[x], engine="tensorrt_rtx", target=["sm_89"])
except ImportError as error:
    print(error)
"""


def test_where_tensorrt_is_missing_nothing_changes() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout
    assert "`pip install tensorrt`, from NVIDIA's package index" in said
    assert "`pip install tensorrt-rtx-cu13`" in said
    assert "tensorrt_rtx is not available here: " in said
    assert said.count("openvino: 1 engine, 2 of 2 ops") == 3
    assert said.count("ops in PyTorch:\n  none") == 3


class Quantized(nn.Module):
    """A linear layer with eight bits in, and weights in eight bits by channel."""

    def __init__(self, zero_point: int) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.linear, self.zero_point = nn.Linear(64, 64), zero_point
        self.register_buffer("scales", self.linear.weight.detach().abs().amax(1) / 127)
        self.register_buffer("zeros", torch.zeros(64, dtype=torch.int32))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.fake_quantize_per_tensor_affine(x, 1 / 64, self.zero_point, -128, 127)
        weight = torch.fake_quantize_per_channel_affine(
            self.linear.weight, self.scales, self.zeros, 0, -127, 127
        )
        return torch.relu(nn.functional.linear(x, weight, self.linear.bias))


@pytest.mark.usefixtures("tensorrt_rtx")
@pytest.mark.parametrize("zero_point", [0, 3])
def test_plans_of_eight_bits_are_symmetric(zero_point: int) -> None:
    module, x = Quantized(zero_point).eval(), torch.rand(4, 64)
    fast = torch_tensorrt.compile(
        torch.jit.trace(module, x),
        ir="ts",
        inputs=[x],
        engine="tensorrt_rtx",
        target=["sm_89"],
        min_block_size=1,
    )
    assert_close(fast(x), module(x))
    report = torch_tensorrt.report(fast)
    assert [engine["plugin"] for engine in report.engines] == ["tensorrt_rtx"]
    left = [(node["op"], node["reason"]) for node in report.in_pytorch]
    if zero_point == 0:
        assert left == []
    else:
        ((op, reason),) = left
        assert op == "aten::fake_quantize_per_tensor_affine"
        assert "no zero points; quantize symmetrically to i8" in reason
