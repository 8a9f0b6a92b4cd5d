"""What ctx.net.add_* says of wrong arguments: the layer, what was given, what was expected."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from e2e.user_layers import out
from errors.user_layer_reasons import whole_reason
from torch_tensorrt.dynamo.conversion import trt

IMAGE = torch.linspace(-1, 1, 120).reshape(1, 4, 5, 6)
VECTOR, SCALAR = torch.linspace(-1, 1, 5), torch.tensor(0.5)
HERE = "(test_user_layer_arguments.py:N)"
KERNEL, ONES = torch.ones(2, 4, 3, 3), torch.ones(1, 4, 1, 1)
P, G, S, A = trt.PoolingType, trt.GatherMode, trt.ScaleMode, trt.AttentionNormalizationOp
INF, NAN, SUM = math.inf, math.nan, trt.ElementWiseOperation.SUM


def conv(n: Any, x: Any, shape: Any = (3, 3), maps: Any = 2, **attributes: Any) -> Any:
    return out(n.add_convolution_nd(x, maps, shape, KERNEL), **attributes)


def deconv(n: Any, x: Any, maps: Any = 2, **attributes: Any) -> Any:
    return out(n.add_deconvolution_nd(x, maps, (3, 3), torch.ones(4, 2, 3, 3)), **attributes)


def pool(n: Any, x: Any, window: Any = (2, 2), **attributes: Any) -> Any:
    return out(n.add_pooling_nd(x, P.AVERAGE, window), **attributes)


def grouped(n: Any, x: Any, scale: Any = ONES, **attributes: Any) -> Any:
    attributes = {"num_groups": 2, **attributes}
    return out(n.add_normalization(x, scale, ONES, 0b1100), **attributes)


def numbers(n: Any, *values: float) -> Any:
    """A vector that the compiler does not see as a constant."""
    return out(n.add_identity(torch.tensor(values)))


def scaled(n: Any, x: Any, mode: Any, shift: Any) -> Any:
    return out(n.add_scale(x, mode, shift))


def asserted(n: Any, x: Any) -> Any:
    n.add_assertion(torch.tensor([1]), "no")
    return out(n.add_identity(x))


def gathered(n: Any, x: Any, indices: Any, mode: Any, axis: int = 1) -> Any:
    return out(n.add_gather_v2(x, torch.tensor(indices), mode), axis=axis)


def scattered(n: Any, x: Any, indices: Any, mode: Any = trt.ScatterMode.ELEMENT) -> Any:
    given = torch.tensor(indices)
    return out(n.add_scatter(x, given, torch.ones(len(indices)), mode))


GEOMETRY = [
    (
        lambda n, x: conv(n, x, stride_nd=(1,)),
        "ConvolutionLayer '0' {}: stride_nd is (1,), expected one entry for each of 2 axes, "
        "at least 1",
    ),
    (
        lambda n, x: conv(n, x, dilation_nd=(0, 1)),
        "ConvolutionLayer '0' {}: dilation_nd is (0, 1), expected one entry for each of 2 axes, "
        "at least 1",
    ),
    (
        lambda n, x: conv(n, x, (3,)),
        "ConvolutionLayer '0' {}: input has 4 axes, expected 3: batch, channels and those of "
        "kernel_size_nd (3,)",
    ),
    (
        lambda n, x: conv(n, x, (0, 0)),
        "ConvolutionLayer '0' {}: kernel_size_nd is (0, 0), expected one entry for each of 2 axes, "
        "at least 1",
    ),
    (
        lambda n, x: conv(n, x, maps=-1),
        "ConvolutionLayer '0' {}: num_output_maps is -1, expected at least 1",
    ),
    (
        lambda n, x: conv(n, x, bias=torch.ones(2, dtype=torch.complex64)),
        "ConvolutionLayer '0' {}: bias is complex, expected real numbers",
    ),
    (
        lambda n, x: deconv(n, x, 5),
        "DeconvolutionLayer '0' {}: num_output_maps is 5, expected 2: the kernel's",
    ),
    (
        lambda n, x: pool(n, x, (2,)),
        "PoolingLayer '0' {}: input has 4 axes, expected 3: batch, channels and those of "
        "window_size_nd (2,)",
    ),
    (
        lambda n, x: pool(n, x, stride_nd=(0, 1), padding_mode=trt.PaddingMode.EXPLICIT_ROUND_UP),
        "PoolingLayer '0' {}: stride_nd is (0, 1), expected one entry for each of 2 axes, "
        "at least 1",
    ),
    (
        lambda n, x: pool(n, x, blend_factor=NAN),
        "PoolingLayer '0' {}: blend_factor is nan, expected a finite number",
    ),
    (
        lambda n, x: out(n.add_resize(x), scales=[INF, 1, 1, 1]),
        "ResizeLayer '0' {}: scales is [inf, 1.0, 1.0, 1.0], expected finite numbers above 0",
    ),
    (
        lambda n, x: out(n.add_resize(x), scales=[NAN, 1, 1, 1]),
        "ResizeLayer '0' {}: scales is [nan, 1.0, 1.0, 1.0], expected finite numbers above 0",
    ),
    (
        lambda n, x: out(n.add_resize(x), scales=[1e20, 1, 1, 1]),
        "ResizeLayer '0' {}: a size would be 100000000000000000000, expected one of 64 bits",
    ),
    (
        lambda n, x: out(n.add_resize(x), inputs={1: torch.tensor([2, 2])}),
        "ResizeLayer '0' {}: shape is i64 of shape (2,), expected a vector of 4 ints",
    ),
    (
        lambda n, x: out(n.add_padding_nd(x, (1, 1), (1,))),
        "PaddingLayer '0' {}: pre_padding_nd is (1, 1) and post_padding_nd (1,), expected as many "
        "entries, at most 4",
    ),
    (
        lambda n, x: grouped(n, x, num_groups=0),
        "NormalizationLayer '2' {}: num_groups is 0, expected at least 1",
    ),
    (
        lambda n, x: grouped(n, x, torch.ones(4)),
        "NormalizationLayer '2' {}: scale has shape (4,), expected 4 axes of size 1 but for the "
        "second, with 4 or a divisor of it",
    ),
    (
        lambda n, x: grouped(n, x, torch.ones(1, 3, 1, 1)),
        "NormalizationLayer '2' {}: scale has shape (1, 3, 1, 1), expected 4 axes of size 1 but "
        "for the second, with 4 or a divisor of it",
    ),
]
VALUES = [
    (
        lambda n, x: out(n.add_concatenation([x, None])),
        "ConcatenationLayer '0' {}: input 1 is missing, expected a tensor",
    ),
    (
        lambda n, x: out(n.add_fill((3,), trt.FillOperation.LINSPACE), inputs={0: numbers(n, 1.5)}),
        "FillLayer '0' {}: shape is f32 of shape (1,), expected a vector of ints",
    ),
    (
        lambda n, x: out(n.add_fill(None, trt.FillOperation.RANDOM_UNIFORM)),
        "FillLayer '0' {}: shape is missing, expected sizes, or a tensor of them as input 0",
    ),
    (
        lambda n, x: out(
            n.add_fill((3,), trt.FillOperation.LINSPACE, trt.DataType.INT32), beta=NAN
        ),
        "FillLayer '0' {}: beta is nan, expected a finite number for INT32",
    ),
    (
        lambda n, x: out(n.add_slice(x, (0,), (1,), (1,)), axes=(1,), inputs={1: numbers(n, 1.0)}),
        "SliceLayer '0' {}: start is f32 of shape (1,), expected a vector of 1 ints",
    ),
    (
        lambda n, x: out(n.add_squeeze(x, torch.tensor([0.5]))),
        "SqueezeLayer '1' {}: axes is [0.5], expected ints",
    ),
    (
        lambda n, x: out(n.add_topk(x, trt.TopKOperation.MAX, 1, 0b10), inputs={1: SCALAR}),
        "TopKLayer '0' {}: k is f32, expected INT32 or INT64",
    ),
    (
        lambda n, x: out(n.add_cumulative(x, [0, 1], trt.CumulativeOperation.SUM, False, False)),
        "CumulativeLayer '1' {}: axis has 2 elements, expected 1",
    ),
    (
        lambda n, x: out(n.add_one_hot(torch.tensor([0]), torch.ones(3), torch.tensor(3), -1)),
        "OneHotLayer '3' {}: values has shape (3,), expected (2,): off and on",
    ),
    (
        lambda n, x: out(n.add_quantize(x, NAN)),
        "QuantizeLayer '1' {}: scale has nan, expected finite numbers above 0",
    ),
    (
        lambda n, x: scaled(n, x, S.CHANNEL, torch.ones(3)),
        "ScaleLayer '0' {}: shift has 3 elements, expected 4 in mode CHANNEL for an input of "
        "(1, 4, 5, 6)",
    ),
    (
        lambda n, x: scaled(n, x, S.ELEMENTWISE, torch.ones(2)),
        "ScaleLayer '0' {}: shift has 2 elements, expected 120 in mode ELEMENTWISE for an input of "
        "(1, 4, 5, 6)",
    ),
    (
        lambda n, x: out(n.add_shuffle(x), first_transpose=(0,)),
        "ShuffleLayer '0' {}: first_transpose is (0,), expected an order of 4 axes",
    ),
    (
        lambda n, x: out(n.add_shuffle(x), second_transpose=(0, 1, 1, 2)),
        "ShuffleLayer '0' {}: second_transpose is (0, 1, 1, 2), expected an order of 4 axes",
    ),
    (asserted, "AssertionLayer '1' {}: condition is i64, expected a bool"),
    (
        lambda n, x: out(n.add_einsum([x, x], "a...->a")),
        "EinsumLayer '0' {}: equation is for 1 operands, expected 2",
    ),
    (
        lambda n, x: out(n.add_einsum([x], "...abcde->...")),
        "EinsumLayer '0' {}: input 0 has 4 axes, expected at least 5 for '...abcde'",
    ),
    (
        lambda n, x: out(n.add_elementwise(x, x, trt.ElementWiseOperation.SUM), inputs={1: None}),
        "ElementWiseLayer '0' {}: input2 is missing, expected a tensor",
    ),
]
INDICES = [
    (
        lambda n, x: out(n.add_gather(x, torch.tensor([0, 4]), 1)),
        "GatherLayer '1' {}: indices has 4 for axis 1, expected less than its size, 4",
    ),
    (
        lambda n, x: out(n.add_gather(x, torch.tensor([0, -1]), 1)),
        "GatherLayer '1' {}: indices has -1 for axis 1, expected no negative ones",
    ),
    (
        lambda n, x: gathered(n, x, [[[[0]], [[9]]]], G.ELEMENT),
        "GatherLayer '1' {}: indices has 9 for axis 1, expected less than its size, 4",
    ),
    (
        lambda n, x: gathered(n, x, [[0, 3], [0, 7]], G.ND),
        "GatherLayer '1' {}: indices has 7 for axis 1, expected less than its size, 4",
    ),
    (
        lambda n, x: scattered(n, VECTOR, [5]),
        "ScatterLayer '3' {}: indices has 5 for axis 0, expected less than its size, 5",
    ),
    (
        lambda n, x: scattered(n, VECTOR, [[-2]], trt.ScatterMode.ND),
        "ScatterLayer '3' {}: indices has -2 for axis 0, expected no negative ones",
    ),
]
KINDS = [
    (
        lambda n, x: conv(n, x, None),
        "ConvolutionLayer: kernel_shape: None is no list of ints {}",
    ),
    (
        lambda n, x: conv(n, x, "ab"),
        "ConvolutionLayer: kernel_shape: 'a' is no int {}",
    ),
    (
        lambda n, x: n.add_convolution_nd(x, 2, (3, 3), object),
        f"ConvolutionLayer: kernel: {object!r} is a type, expected an array, a tensor or "
        "numbers {}",
    ),
    (lambda n, x: pool(n, x, 2), "PoolingLayer: window_size: 2 is no list of ints {}"),
    (lambda n, x: n.add_activation(x, 5), "ActivationLayer: type: 5 is no ActivationType, "),
    (
        lambda n, x: n.add_attention(x, x, x, A.SOFTMAX, "yes"),
        "Attention: causal: 'yes' is no bool {}",
    ),
    (lambda n, x: n.add_concatenation(5), "add_concatenation: inputs: 5 is no list of tensors {}"),
    (lambda n, x: n.add_identity({}), "IdentityLayer: input is a dict, expected a tensor of "),
    (
        lambda n, x: n.add_lrn(x, 3, "1", 1, 1),
        "LRNLayer: alpha: '1' is no number {}",
    ),
    (lambda n, x: n.add_lrn(x, "3", 1, 1, 1), "LRNLayer: window_size: '3' is no int {}"),
    (
        lambda n, x: n.add_lrn(x, 10**30, 1, 1, 1),
        f"LRNLayer: window_size: {10**30} is no int of 64 bits {{}}",
    ),
    (
        lambda n, x: n.add_reduce(x, trt.ReduceOperation.SUM, 1, "yes"),
        "ReduceLayer: keep_dims: 'yes' is no bool {}",
    ),
    (
        lambda n, x: n.add_einsum([x], None),
        "EinsumLayer: equation: None is no str {}",
    ),
]
PLACES = [
    (
        lambda n, x: n.add_concatenation([x]).set_input(2, x),
        "ConcatenationLayer '0' has no input 2, expected one of 0 (input 0), 1 (input 1) {}",
    ),
    (
        lambda n, x: n.add_identity(x).set_input("a", x),
        "IdentityLayer '0' has no input 'a', expected one of 0 (input) {}",
    ),
    (
        lambda n, x: n.add_constant((1,), [1.0]).set_input(0, x),
        "ConstantLayer '0' has no input 0, expected none: it takes no tensors {}",
    ),
    (
        lambda n, x: n.add_assertion(torch.tensor(True), "no").get_output(0),
        "AssertionLayer '1' has no output 0, expected none: it has no outputs {}",
    ),
    (lambda n, x: n.get_layer(0), "there is no layer 0, expected none: none was added {}"),
]


def _reason(body: Any, x: Any, kind: str, message: str) -> None:
    expected = f"its converter raised {kind}: {message.format(HERE)}"
    assert whole_reason(body, x).startswith(expected)


@pytest.mark.parametrize(("body", "message"), [*GEOMETRY, *VALUES, *INDICES])
def test_values_that_do_not_fit(body: Any, message: str) -> None:
    _reason(body, IMAGE, "ValueError", message)


@pytest.mark.parametrize(("body", "message"), KINDS)
def test_arguments_of_another_kind(body: Any, message: str) -> None:
    _reason(body, IMAGE, "TypeError", message)


@pytest.mark.parametrize(("body", "message"), PLACES)
def test_positions_that_a_layer_does_not_have(body: Any, message: str) -> None:
    _reason(body, IMAGE, "IndexError", message)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            lambda n, x: n.add_concatenation([]),
            "add_concatenation: inputs is empty, expected at least one tensor {}",
        ),
        (deconv, "DeconvolutionLayer '0' {}: input has 0 axes, expected 4: batch, "),
        (
            lambda n, x: out(n.add_concatenation([x, x])),
            "ConcatenationLayer '0' {}: axis is 0 for a scalar, expected a tensor with axes",
        ),
        (
            lambda n, x: out(n.add_reverse_sequence(x, torch.tensor([1]))),
            "ReverseSequenceLayer '1' {}: reverse_sequence C1: axis is 1, expected an operand with "
            "axes",
        ),
        (
            lambda n, x: out(n.add_softmax(x)),
            "SoftMaxLayer '0' {}: axes is 0b1 for a scalar, expected a tensor with axes",
        ),
        (
            lambda n, x: out(n.add_elementwise(out(n.add_cast(x, torch.int32)), 10**30, SUM)),
            f"{10**30} is paired with a tensor of INT32, expected a number in its range {{}}",
        ),
    ],
)
def test_operands_that_a_layer_cannot_have(body: Any, message: str) -> None:
    _reason(body, SCALAR, "ValueError", message)
