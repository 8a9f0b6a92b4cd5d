"""Layers of ctx.net that compute: pointwise, along axes, products, normalization."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from e2e.user_layers import FIXED, FLAGS, IMAGE, INTEGERS, NC, L, N, Row, layer_rows, out, weights
from ops.harness import Dyn, T
from torch_tensorrt.dynamo.conversion import trt

A, U, E = trt.ActivationType, trt.UnaryOperation, trt.ElementWiseOperation
R, M = trt.ReduceOperation, trt.MatrixOperation
POSITIVE = Dyn((1, 6), (3, 6), (5, 6), low=0.1, high=3)
ABOVE_ONE = T(3, 6, low=1.1, high=3)
LARGE = Dyn((1, 6), (3, 6), (5, 6), dtype=torch.int64, low=-9, high=9)
DIVISORS = Dyn((1, 6), (3, 6), (5, 6), dtype=torch.int64, low=1, high=4)


@layer_rows(
    ("relu", L("add_activation", A.RELU), torch.relu, N),
    ("relu of integers", L("add_activation", A.RELU), torch.relu, INTEGERS),
    ("sigmoid", L("add_activation", A.SIGMOID), torch.sigmoid, N),
    ("tanh", L("add_activation", A.TANH), torch.tanh, N),
    ("leaky_relu", L("add_activation", A.LEAKY_RELU), F.leaky_relu, N),
    ("leaky", L("add_activation", A.LEAKY_RELU, alpha=0.2), lambda x: F.leaky_relu(x, 0.2), N),
    ("elu", L("add_activation", A.ELU), F.elu, N),
    ("selu", L("add_activation", A.SELU), F.selu, N),
    (
        "selu of other numbers",
        L("add_activation", A.SELU, alpha=0.5, beta=2),
        lambda x: 2 * F.elu(x, 0.5),
        N,
    ),
    ("softsign", L("add_activation", A.SOFTSIGN), F.softsign, N),
    ("softplus", L("add_activation", A.SOFTPLUS), F.softplus, N),
    (
        "softplus of other numbers",
        L("add_activation", A.SOFTPLUS, alpha=3, beta=2),
        lambda x: 6 * F.softplus(x, 2),
        N,
    ),
    (
        "clip",
        L("add_activation", A.CLIP, alpha=-0.5, beta=0.25),
        lambda x: x.clamp(-0.5, 0.25),
        N,
    ),
    (
        "hard_sigmoid",
        L("add_activation", A.HARD_SIGMOID),
        lambda x: (x * 0.2 + 0.5).clamp(0, 1),
        N,
    ),
    (
        "scaled_tanh",
        L("add_activation", A.SCALED_TANH, alpha=2, beta=0.5),
        lambda x: 2 * torch.tanh(x / 2),
        N,
    ),
    (
        "thresholded_relu",
        L("add_activation", A.THRESHOLDED_RELU, alpha=0.1),
        lambda x: F.threshold(x, 0.1, 0),
        N,
    ),
    ("gelu_erf", L("add_activation", A.GELU_ERF), F.gelu, N),
    ("gelu_tanh", L("add_activation", A.GELU_TANH), lambda x: F.gelu(x, approximate="tanh"), N),
)
def test_add_activation(row: Row, engine: str) -> None:
    row.check(engine)


UNARY = {
    "exp log sqrt abs neg sin cos tan sinh cosh asinh atan ceil floor erf sign round isinf isnan": (
        POSITIVE
    ),
    "asin acos atanh": FIXED,
    "acosh": ABOVE_ONE,
}


@layer_rows(
    *(
        (name, L("add_unary", U[name.upper()]), getattr(torch, name), x)
        for names, x in UNARY.items()
        for name in names.split()
    ),
    ("recip", L("add_unary", U.RECIP), torch.reciprocal, POSITIVE),
    ("not", L("add_unary", U.NOT), torch.logical_not, FLAGS),
)
def test_add_unary(row: Row, engine: str) -> None:
    row.check(engine)


@layer_rows(
    ("sum", L("add_elementwise", E.SUM), torch.add, N, N),
    ("prod", L("add_elementwise", E.PROD), torch.mul, N, T(1, 6)),
    ("max", L("add_elementwise", E.MAX), torch.maximum, N, N),
    ("min", L("add_elementwise", E.MIN), torch.minimum, N, T(1, 1)),
    ("sub", L("add_elementwise", E.SUB), torch.sub, N, N),
    ("div", L("add_elementwise", E.DIV), torch.div, N, POSITIVE),
    (
        "div of integers",
        L("add_elementwise", E.DIV),
        lambda a, b: torch.div(a, b, rounding_mode="trunc"),
        LARGE,
        DIVISORS,
    ),
    ("floor_div", L("add_elementwise", E.FLOOR_DIV), torch.floor_divide, LARGE, DIVISORS),
    ("pow", L("add_elementwise", E.POW), torch.pow, POSITIVE, N),
    ("and", L("add_elementwise", E.AND), torch.logical_and, FLAGS, FLAGS),
    ("or", L("add_elementwise", E.OR), torch.logical_or, FLAGS, FLAGS),
    ("xor", L("add_elementwise", E.XOR), torch.logical_xor, FLAGS, FLAGS),
    ("equal", L("add_elementwise", E.EQUAL), torch.eq, INTEGERS, INTEGERS),
    ("greater", L("add_elementwise", E.GREATER), torch.gt, N, N),
    ("less", L("add_elementwise", E.LESS), torch.lt, N, N),
    ("a number", L("add_elementwise", 2, E.PROD), lambda x: x * 2, N),
    ("a number first", lambda n, x: out(n.add_elementwise(1.5, x, E.SUB)), lambda x: 1.5 - x, N),
)
def test_add_elementwise(row: Row, engine: str) -> None:
    row.check(engine)


SCALE = {"shift": weights(4), "scale": np.array([1, 2, 3, 4], np.float32)}


def _scaled(x: torch.Tensor) -> torch.Tensor:
    return x * torch.tensor([1.0, 2, 3, 4])[:, None] + SCALE["shift"][:, None]


@layer_rows(
    (
        "constant",
        lambda n, x: out(
            n.add_elementwise(
                x, out(n.add_constant((1, 6), trt.Weights(np.arange(6, dtype=np.float32)))), E.SUM
            )
        ),
        lambda x: x + torch.arange(6.0),
        N,
    ),
    ("select", L("add_select"), torch.where, FLAGS, N, N),
    ("select a number", L("add_select", 0.0), lambda c, x: torch.where(c, x, 0.0), FLAGS, N),
    ("identity", L("add_identity"), torch.clone, N),
    ("cast", L("add_cast", trt.int32), lambda x: x.to(torch.int32), POSITIVE),
    ("cast to float", L("add_cast", torch.float32), lambda x: x.float(), FLAGS),
    (
        "parametric_relu",
        L("add_parametric_relu", torch.full((1, 6), 0.3)),
        lambda x: F.leaky_relu(x, 0.3),
        N,
    ),
    (
        "scale",
        lambda n, x: out(n.add_scale(x, trt.ScaleMode.CHANNEL, SCALE["shift"], SCALE["scale"])),
        _scaled,
        NC,
    ),
    (
        "scale_nd",
        lambda n, x: out(
            n.add_scale_nd(x, trt.ScaleMode.UNIFORM, power=np.float32([2]), channel_axis=0)
        ),
        torch.square,
        NC,
    ),
)
def test_other_pointwise_layers(row: Row, engine: str) -> None:
    row.check(engine)


def _top(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return tuple(torch.topk(x, 3, 1))


def _top_converter(net: Any, x: Any, **options: Any) -> Any:
    layer = net.add_topk(x, trt.TopKOperation.MAX, 3, 0b10)
    return out(layer, **options), layer.get_output(1)


def _cumulative(net: Any, x: Any, *flags: bool) -> Any:
    axis = out(net.add_constant((), np.array(1, np.int32)))
    return out(net.add_cumulative(x, axis, trt.CumulativeOperation.SUM, *flags))


@layer_rows(
    ("sum", L("add_reduce", R.SUM, 0b10, False), lambda x: x.sum(1), NC),
    ("prod", L("add_reduce", R.PROD, 0b110, True), lambda x: x.prod(2, True).prod(1, True), NC),
    ("max", L("add_reduce", R.MAX, 0b100, True), lambda x: x.amax(2, True), NC),
    ("min", L("add_reduce", R.MIN, 0b111, False), lambda x: x.amin(), NC),
    ("avg", L("add_reduce", R.AVG, 0b1, False), lambda x: x.mean(0), NC),
    ("softmax", L("add_softmax", axes=0b100), lambda x: x.softmax(2), NC),
    ("topk", _top_converter, _top, N),
    ("topk by input", lambda n, x: _top_converter(n, x, inputs={1: 3}), _top, N),
    (
        "topk of the least",
        L("add_topk", trt.TopKOperation.MIN, 1, 0b10, trt.int64, index=1),
        lambda x: x.argmin(1, True),
        N,
    ),
    ("cumulative", lambda n, x: _cumulative(n, x, False, False), lambda x: x.cumsum(1), N),
    (
        "cumulative backwards",
        lambda n, x: _cumulative(n, x, True, True),
        lambda x: x.flip(1).cumsum(1).flip(1) - x,
        N,
    ),
)
def test_layers_along_axes(row: Row, engine: str) -> None:
    row.check(engine)


MATRIX, KERNEL, BIAS, UP = weights(6, 5), weights(6, 2, 3, 3), weights(6), weights(4, 3, 2, 2)
IMAGES = T(2, 4, 5, 7)
HEADS = Dyn((1, 2, 4, 8), (2, 2, 4, 8), (3, 2, 4, 8))
MASK = torch.tensor([True, True, True, False]).expand(1, 1, 4, 4).contiguous()


def _attended(x: torch.Tensor, mask: Any = None, causal: bool = False) -> torch.Tensor:
    return F.scaled_dot_product_attention(x, x, x, mask, is_causal=causal, scale=1.0)


def _attention(net: Any, x: Any, causal: bool = False, **attributes: Any) -> Any:
    softmax = trt.AttentionNormalizationOp.SOFTMAX
    return out(net.add_attention(x, x, x, softmax, causal), **attributes)


def _convolution(net: Any, x: Any, kernel: Any = KERNEL, **options: Any) -> Any:
    return out(net.add_convolution_nd(x, 6, (3, 3), kernel, BIAS), num_groups=2, **options)


@layer_rows(
    (
        "matrix_multiply",
        lambda n, x: out(n.add_matrix_multiply(x, M.NONE, MATRIX, M.NONE)),
        lambda x: x @ MATRIX,
        N,
    ),
    (
        "matrix_multiply transposed",
        lambda n, a, b: out(n.add_matrix_multiply(a, M.TRANSPOSE, b, M.TRANSPOSE)),
        lambda a, b: a.mT @ b.mT,
        T(2, 3, 4),
        T(2, 5, 3),
    ),
    (
        "matrix_multiply with a vector",
        lambda n, x: out(n.add_matrix_multiply(x, M.NONE, MATRIX[:, 0], M.VECTOR)),
        lambda x: x @ MATRIX[:, 0],
        N,
    ),
    (
        "matrix_multiply of a vector",
        lambda n, x: out(n.add_matrix_multiply(MATRIX[:, 0], M.VECTOR, x, M.TRANSPOSE)),
        lambda x: MATRIX[:, 0] @ x.mT,
        N,
    ),
    (
        "einsum",
        lambda n, x: out(n.add_einsum([x, MATRIX], "...ij, jk -> ...ik")),
        lambda x: x @ MATRIX,
        NC,
    ),
    (
        "convolution_nd",
        lambda n, x: _convolution(n, x, stride_nd=(2, 1), padding_nd=(1, 1)),
        lambda x: F.conv2d(x, KERNEL, BIAS, (2, 1), 1, groups=2),
        IMAGE,
    ),
    (
        "convolution_nd of an input",
        lambda n, x: _convolution(n, x, trt.Weights(), dilation_nd=(2, 2), inputs={1: KERNEL}),
        lambda x: F.conv2d(x, KERNEL, BIAS, dilation=2, groups=2),
        IMAGE,
    ),
    (
        "convolution_nd same",
        lambda n, x: _convolution(n, x, padding_mode=trt.PaddingMode.SAME_UPPER, stride_nd=(2, 2)),
        lambda x: F.conv2d(F.pad(x, (1, 1, 1, 1)), KERNEL, BIAS, 2, groups=2),
        IMAGES,
    ),
    (
        "convolution_nd rounded up",
        lambda n, x: _convolution(
            n, x, padding_mode=trt.PaddingMode.EXPLICIT_ROUND_UP, stride_nd=(3, 3)
        ),
        lambda x: F.conv2d(F.pad(x, (0, 2, 0, 1)), KERNEL, BIAS, 3, groups=2),
        IMAGES,
    ),
    (
        "deconvolution_nd",
        lambda n, x: out(
            n.add_deconvolution_nd(x, 3, (2, 2), UP), stride_nd=(2, 2), padding_nd=(1, 0)
        ),
        lambda x: F.conv_transpose2d(x, UP, stride=2, padding=(1, 0)),
        IMAGE,
    ),
    ("attention", _attention, _attended, HEADS),
    (
        "causal attention",
        lambda n, x: _attention(n, x, True),
        lambda x: _attended(x, None, True),
        HEADS,
    ),
    (
        "masked attention",
        lambda n, x: _attention(
            n, x, mask=out(n.add_constant(MASK.shape, MASK)), decomposable=True
        ),
        lambda x: _attended(x, MASK),
        HEADS,
    ),
    (
        "attention without softmax",
        lambda n, x: out(
            n.add_attention_v2(x, x, x, trt.AttentionNormalizationOp.NONE, trt.CausalMaskKind.NONE)
        ),
        lambda x: x @ x.mT @ x,
        HEADS,
    ),
)
def test_products(row: Row, engine: str) -> None:
    row.check(engine)


GAMMA, BETA = weights(1, 1, 1, 8), weights(1, 1, 1, 8)
PER_CHANNEL = weights(1, 4, 1, 1), weights(1, 4, 1, 1)
PER_GROUP = weights(1, 2, 1, 1), weights(1, 2, 1, 1)


def _channels(x: torch.Tensor) -> torch.Tensor:
    gamma, beta = PER_CHANNEL
    mean, variance = x.mean(1, True), x.var(1, correction=0, keepdim=True)
    return (x - mean) / (variance + 1e-3).sqrt() * gamma + beta


def _grouped(x: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor) -> torch.Tensor:
    return F.group_norm(x, 2, gamma.flatten(), beta.flatten())


SCALES = torch.tensor([0.01, 0.02, 0.03, 0.02])


def _rounded(net: Any, x: Any, scale: Any, axis: int = -1) -> Any:
    low = out(net.add_quantize(x, scale, trt.int8), axis=axis)
    return out(net.add_dequantize(low, scale, trt.float32), axis=axis)


@layer_rows(
    (
        "layer",
        L("add_normalization", GAMMA, BETA, 0b1000, epsilon=1e-3),
        lambda x: F.layer_norm(x, (8,), GAMMA.flatten(), BETA.flatten(), 1e-3),
        IMAGE,
    ),
    (
        "instance",
        L("add_normalization_v2", *PER_CHANNEL, 0b1100),
        lambda x: F.instance_norm(x) * PER_CHANNEL[0] + PER_CHANNEL[1],
        IMAGE,
    ),
    (
        "group",
        L("add_normalization_v2", *PER_CHANNEL, 0b1100, num_groups=2),
        lambda x: _grouped(x, *PER_CHANNEL),
        IMAGE,
    ),
    (
        "group with a number a group",
        L("add_normalization", *PER_GROUP, 0b1100, num_groups=2),
        lambda x: _grouped(x, *(p.repeat_interleave(2) for p in map(torch.flatten, PER_GROUP))),
        IMAGE,
    ),
    ("channels", L("add_normalization", *PER_CHANNEL, 0b10, epsilon=1e-3), _channels, IMAGE),
    (
        "quantize",
        lambda n, x: _rounded(n, x, 0.01),
        lambda x: (x / 0.01).round().clamp(-128, 127) * 0.01,
        N,
    ),
    (
        "quantize per channel",
        lambda n, x: _rounded(n, x, SCALES, 1),
        lambda x: (x / SCALES[:, None]).round().clamp(-128, 127) * SCALES[:, None],
        T(2, 4, 6),
    ),
)
def test_normalization_and_quantization(row: Row, engine: str) -> None:
    row.check(engine)
