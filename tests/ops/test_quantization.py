"""Fake quantization, and the quantize and dequantize pairs of torch.export."""

import torch
import torch.ao.quantization.fx._decomposed  # registers torch.ops.quantized_decomposed
from model_optimizer import quantize_op
from ops.harness import Dyn, Row, T, op_rows
from torch import nn
from torch.nn import functional as F

decomposed = torch.ops.quantized_decomposed

X = Dyn((1, 4, 3), (2, 4, 3), (5, 4, 3), low=-4, high=4)
IMAGES = Dyn((1, 3, 8, 8), (2, 3, 8, 8), (4, 3, 8, 8))
SCALES = torch.tensor([0.05, 0.02, 0.1, 0.013])
ZEROS = torch.zeros(4, dtype=torch.int32)
ZERO_POINTS = torch.tensor([3, 0, -128, 127], dtype=torch.int32)


def by_tensor(x, scale: float, zero_point: int, low: int, high: int, dtype: torch.dtype):
    q = decomposed.quantize_per_tensor(x, scale, zero_point, low, high, dtype)
    return q, decomposed.dequantize_per_tensor(q, scale, zero_point, low, high, dtype)


def by_channel(x, zero_points, axis: int):
    q = decomposed.quantize_per_channel(x, SCALES, zero_points, axis, -128, 127, torch.int8)
    return q, decomposed.dequantize_per_channel(q, SCALES, zero_points, axis, -128, 127, torch.int8)


def tensor_steps(x):
    steps = torch.tensor(0.03), torch.tensor(20, dtype=torch.int64)
    limits = torch.tensor(-128), torch.tensor(127)
    q = decomposed.quantize_per_tensor(x, *steps, -128, 127, torch.int8)
    same = decomposed.quantize_per_tensor(x, *steps, *limits, torch.int8)
    return (
        decomposed.dequantize_per_tensor(q, *steps, -128, 127, torch.int8),
        decomposed.dequantize_per_tensor(same, *steps, *limits, torch.int8),
    )


def steps_at_run_time(x):
    scale = x.abs().amax() / 127
    return torch.fake_quantize_per_tensor_affine(
        x, scale, torch.zeros(1, dtype=torch.int32), -128, 127
    )


@op_rows(
    ("signed", lambda x: torch.fake_quantize_per_tensor_affine(x, 0.03, 0, -128, 127), X),
    ("shifted", lambda x: torch.fake_quantize_per_tensor_affine(x, 0.02, 13, -128, 127), X),
    ("unsigned", lambda x: torch.fake_quantize_per_tensor_affine(x, 0.02, 113, 0, 255), X),
    ("narrow", lambda x: torch.fake_quantize_per_tensor_affine(x, 0.02, 5, 0, 127), X),
    ("four_bits", lambda x: torch.fake_quantize_per_tensor_affine(x, 0.5, 0, -8, 7), X),
    ("at_run_time", steps_at_run_time, X),
    # Steps that are exact in 16 bits: others round to different sides.
    (
        "half",
        lambda x: torch.fake_quantize_per_tensor_affine(x, 0.03125, 0, -128, 127),
        Dyn((1, 4), (2, 4), (5, 4), dtype=torch.float16, low=-9, high=9),
    ),
)
def test_fake_quantize(case):
    case.check()


@op_rows(
    (
        "tensors",
        lambda x: torch.fake_quantize_per_tensor_affine(
            x, torch.tensor([0.02]), torch.tensor([113], dtype=torch.int32), 0, 255
        ),
        X,
    ),
    (
        "by_channel",
        lambda x: torch.fake_quantize_per_channel_affine(x, SCALES, ZERO_POINTS, 1, -128, 127),
        X,
    ),
    (
        "narrow_by_channel",
        lambda x: torch.fake_quantize_per_channel_affine(x, SCALES, ZEROS, 1, -127, 127),
        X,
    ),
)
def test_fake_quantize_by_tensors(case):
    case.check()


@op_rows(
    ("signed", lambda x: by_tensor(x, 0.03, 0, -128, 127, torch.int8), X),
    ("unsigned", lambda x: by_tensor(x, 0.02, 113, 0, 255, torch.uint8), X),
    ("narrow", lambda x: by_tensor(x, 0.04, 60, 0, 127, torch.uint8), X),
    ("by_channel", lambda x: by_channel(x, ZERO_POINTS, 1), X),
    ("by_last_channel", lambda x: by_channel(x.transpose(1, -1), ZEROS, -1), X),
    ("tensor_steps", tensor_steps, X),
    (
        "to_half",
        lambda q: decomposed.dequantize_per_tensor(
            q, 0.25, 3, -128, 127, torch.int8, out_dtype=torch.float16
        ),
        T(3, 4, dtype=torch.int8),
    ),
    (
        "without_zero_points",
        lambda q: decomposed.dequantize_per_channel(q, SCALES, None, 1, 0, 255, torch.uint8),
        T(3, 4, dtype=torch.uint8),
    ),
)
def test_quantize(case):
    case.check()


AMAX = torch.tensor([2.0, 3.0, 1.0, 4.5])[:, None, None]


@op_rows(
    ("int8", lambda x: quantize_op(x, torch.tensor(3.0)), X),
    ("narrow", lambda x: quantize_op(x, torch.tensor([3.0]), narrow=True), X),
    ("by_channel", lambda x: quantize_op(x, AMAX, narrow=True), T(4, 3, 2, low=-5, high=5)),
    ("float8", lambda x: quantize_op(x, torch.tensor(3.0), exponent_bits=4), X),
)
def test_model_optimizer_quantize(case):
    case.check()


class Quantized(nn.Module):
    """A layer as quantization-aware training leaves it: eight bits in, weights by channel."""

    def __init__(self, layer: nn.Conv2d | nn.Linear, narrow: bool) -> None:
        super().__init__()
        self.layer, self.low = layer, -127 if narrow else -128
        channels = layer.weight.shape[0]
        self.register_buffer("zero_points", torch.zeros(channels, dtype=torch.int32))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weight = self.layer.weight
        scales = weight.detach().flatten(1).abs().amax(1) / 127
        weight = torch.fake_quantize_per_channel_affine(
            weight, scales, self.zero_points, 0, self.low, 127
        )
        x = torch.fake_quantize_per_tensor_affine(x, 0.02, 40, 0, 255)
        if isinstance(self.layer, nn.Conv2d):
            return F.conv2d(x, weight, self.layer.bias)
        return F.linear(x, weight, self.layer.bias)


@op_rows(
    Row("conv", Quantized(nn.Conv2d(3, 8, 3), False), IMAGES, forms=("traced", "exported")),
    Row("linear", Quantized(nn.Linear(16, 8), True), T(5, 16), forms=("traced", "exported")),
)
def test_quantized_layers(case):
    case.check()
