"""Quantized models: what torchao places after training, and what training leaves in TorchScript."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch_tensorrt
from e2e.checks import assert_close, assert_one_engine
from torch import nn
from torch.ao.quantization import FakeQuantize, MinMaxObserver, PerChannelMinMaxObserver
from torchao.quantization import Int8WeightOnlyConfig, quantize_
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e, prepare_qat_pt2e
from torchao.quantization.pt2e.quantizer import x86_inductor_quantizer as x86

# Signal to noise: rounding to eight bits once leaves about 40 dB, and two programs that round the
# same model differ where a number lies near the middle of two steps.
DECIBELS = 30.0


def decibels(got: torch.Tensor, expected: torch.Tensor) -> float:
    return float(20 * torch.log10(expected.norm() / (got - expected).norm()))


def small_net() -> nn.Module:
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1, bias=False),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Conv2d(16, 16, 3, padding=1, groups=4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.AdaptiveAvgPool2d(4),
        nn.Flatten(),
        nn.Linear(256, 10),
    )
    with torch.no_grad():
        net(torch.rand(32, 3, 32, 32))  # statistics of the norm
    return net.eval()


@torch.no_grad()
def quantized_by_torchao(net: nn.Module, x: torch.Tensor, training: bool = False) -> nn.Module:
    where = x86.X86InductorQuantizer()
    where.set_global(x86.get_default_x86_inductor_quantization_config(is_qat=training))
    prepare = prepare_qat_pt2e if training else prepare_pt2e
    observed = prepare(torch.export.export(net, (x,), strict=True).module(), where)
    for _ in range(4):
        observed(torch.rand_like(x))
    quantized: nn.Module = convert_pt2e(observed)
    return quantized


@pytest.mark.parametrize("engine", ["openvino", "reference"])
@torch.no_grad()
def test_what_torchao_places_is_one_engine(engine: str) -> None:
    net, x = small_net(), torch.rand(2, 3, 32, 32)
    quantized = quantized_by_torchao(net, x)
    fast = torch_tensorrt.compile(quantized, inputs=[x], engine=engine)
    assert_one_engine(fast, engine)
    assert decibels(fast(x), quantized(x)) > DECIBELS
    assert decibels(fast(x), net(x)) > DECIBELS


@torch.no_grad()
def test_what_torchao_trains_is_one_engine() -> None:
    net, x = small_net(), torch.rand(2, 3, 32, 32)
    quantized = quantized_by_torchao(net, x, training=True)
    fast = torch_tensorrt.compile(quantized, inputs=[x])
    assert_one_engine(fast, "openvino")
    assert decibels(fast(x), quantized(x)) > DECIBELS


@torch.no_grad()
def test_weights_are_stored_as_integers(tmp_path: Path) -> None:
    net = nn.Sequential(nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 512)).eval()
    x = torch.rand(4, 512)
    quantized = quantized_by_torchao(net, x)
    fast = torch_tensorrt.compile(quantized, inputs=[x], min_block_size=1)
    torch_tensorrt.save(fast, tmp_path / "fast.pt2")
    floats = sum(p.nbytes for p in net.parameters())
    assert (tmp_path / "fast.pt2").stat().st_size < 0.3 * floats
    loaded = torch_tensorrt.load(tmp_path / "fast.pt2").module()
    torch.testing.assert_close(loaded(x), fast(x))


@pytest.mark.parametrize("engine", ["openvino", "reference"])
@torch.no_grad()
def test_weights_alone_in_eight_bits(engine: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 64)).eval()
    floats = sum(p.nbytes for p in net.parameters())
    quantize_(net, Int8WeightOnlyConfig())
    x = torch.rand(4, 512)
    fast = torch_tensorrt.compile(net, inputs=[x], engine=engine)
    assert_one_engine(fast, engine)
    assert_close(fast(x), net(x))
    torch_tensorrt.save(fast, tmp_path / "fast.pt2")
    assert (tmp_path / "fast.pt2").stat().st_size < 0.3 * floats


SCALED = {
    "behind": lambda product, scale: product * scale,
    "before": lambda product, scale: scale * product,
    "read twice": lambda product, scale: product * scale + product,
}


@pytest.mark.parametrize("where", SCALED)
@torch.no_grad()
def test_scales_of_weights(where: str) -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("weight", torch.randint(-128, 128, (64, 512), dtype=torch.int8))
            self.register_buffer("scale", torch.rand(64) / 128)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return SCALED[where](nn.functional.linear(x, self.weight.float()), self.scale)

    torch.manual_seed(0)
    model, x = Scaled().eval(), torch.rand(4, 512)
    fast = torch_tensorrt.compile(model, inputs=[x], min_block_size=1)
    assert_one_engine(fast, "openvino")
    assert_close(fast(x), model(x))


class Trained(nn.Module):
    """A layer with the modules that quantization-aware training puts around it."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(64, 64, 3)
        self.of_input = FakeQuantize(MinMaxObserver, 0, 255, dtype=torch.quint8)
        self.of_weight = FakeQuantize(
            PerChannelMinMaxObserver,
            -128,
            127,
            dtype=torch.qint8,
            qscheme=torch.per_channel_symmetric,
            ch_axis=0,
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weight = self.of_weight(self.conv.weight)
        return torch.relu(nn.functional.conv2d(self.of_input(x), weight, self.conv.bias))


def test_what_training_leaves(tmp_path: Path) -> None:
    trained, x = Trained().eval(), torch.randn(2, 64, 16, 16)
    trained(x)  # observes
    for module in (trained.of_input, trained.of_weight):
        module.disable_observer()
    fast = torch_tensorrt.compile(
        torch.jit.trace(trained, x),
        ir="ts",
        inputs=[x],
        min_block_size=1,
        enabled_precisions={torch.int8},
    )
    assert decibels(fast(x), trained(x)) > DECIBELS
    assert_one_engine(fast, "openvino")
    # PyTorch's freezing would fold the weights to floats.
    torch_tensorrt.save(fast, tmp_path / "fast.ts", output_format="torchscript")
    assert (tmp_path / "fast.ts").stat().st_size < 0.4 * trained.conv.weight.nbytes
