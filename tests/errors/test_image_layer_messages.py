"""What layers of images and of products say of their geometry in users' converters."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch_tensorrt
from e2e.user_layers import out
from errors.user_layer_reasons import whole_reason
from torch_tensorrt.dynamo.conversion import trt

IMAGE = torch.linspace(-1, 1, 120).reshape(1, 4, 5, 6)
CHANNELS = torch_tensorrt.Input(
    min_shape=(1, 2, 5, 6), opt_shape=(1, 4, 5, 6), max_shape=(1, 8, 5, 6), dtype=torch.float32
)
HEIGHTS = torch_tensorrt.Input(
    min_shape=(1, 4, 4, 6), opt_shape=(1, 4, 5, 6), max_shape=(1, 4, 8, 6), dtype=torch.float32
)
LENGTHS = torch_tensorrt.Input(min_shape=(2,), opt_shape=(4,), max_shape=(8,), dtype=torch.float32)
HERE = "(test_image_layer_messages.py:N)"
KERNEL, ONES = torch.ones(4, 2, 3, 3), torch.ones(1, 4, 1, 1)
UPPER, LOWER = trt.PaddingMode.SAME_UPPER, trt.PaddingMode.SAME_LOWER
# Apart from their sentences: other errors, which no test provokes, have some of these words.
MAPS, LENGTH = "of 18: 2 maps of (3, 3)", "length of a vector of sizes"
KNOWN = "is dynamic, expected a size known at compile time"


def _pooled(mode: trt.PaddingMode) -> Any:
    return lambda n, x: out(
        n.add_pooling_nd(x, trt.PoolingType.MAX, (2, 2)), stride_nd=(2, 2), padding_mode=mode
    )


def _grouped(axes: int) -> Any:
    return lambda n, x: out(n.add_normalization(x, ONES, ONES, axes), num_groups=2)


def _sized(net: Any, x: Any) -> Any:
    sizes = out(net.add_cast(x, torch.int64))
    return out(net.add_resize(net.tensor(IMAGE)), inputs={1: sizes})


@pytest.mark.parametrize(
    ("body", "x", "message"),
    [
        (
            lambda n, x: out(n.add_resize(x), shape=(10, 12)),
            IMAGE,
            f"ValueError: ResizeLayer '0' {HERE}: shape is (10, 12), expected 4 sizes, or scales",
        ),
        (
            lambda n, x: out(n.add_resize(x)),
            IMAGE,
            f"ValueError: ResizeLayer '0' {HERE}: shape is None, expected 4 sizes, or scales",
        ),
        (
            lambda n, x: out(n.add_resize(x), scales=[2.0, 2.0]),
            IMAGE,
            f"ValueError: ResizeLayer '0' {HERE}: scales has 2 entries, expected 4",
        ),
        (
            lambda n, x: out(n.add_resize(x), shape=(2, 4, 5, 6)),
            IMAGE,
            f"NotImplementedError: ResizeLayer '0' {HERE}: axis 0 of 4 is resized, expected the "
            "last 3 at most",
        ),
        (
            _sized,
            LENGTHS,
            f"NotImplementedError: ResizeLayer '2' {HERE}: the {LENGTH} {KNOWN}",
        ),
        (
            lambda n, x: out(
                n.add_grid_sample(x, torch.zeros(1, 5, 6, 2)), sample_mode=trt.SampleMode.WRAP
            ),
            IMAGE,
            f"NotImplementedError: GridSampleLayer '1' {HERE}: sample_mode is WRAP, expected FILL, "
            "CLAMP or REFLECT",
        ),
        (
            _pooled(UPPER),
            HEIGHTS,
            f"NotImplementedError: PoolingLayer '0' {HERE}: padding_mode is SAME_UPPER and axis 2 "
            "is dynamic, expected a size known at compile time, or explicit padding",
        ),
        (
            _pooled(LOWER),
            HEIGHTS,
            f"NotImplementedError: PoolingLayer '0' {HERE}: padding_mode is SAME_LOWER and axis 2 "
            "is dynamic, expected a size known at compile time, or explicit padding",
        ),
        (
            lambda n, x: out(n.add_convolution_nd(x, 2, (3, 3), torch.ones(17))),
            IMAGE,
            f"ValueError: ConvolutionLayer '0' {HERE}: kernel has 17 elements, expected a multiple "
            + MAPS,
        ),
        (
            lambda n, x: out(n.add_convolution_nd(x, 2, (3, 3), trt.Weights())),
            IMAGE,
            f"ValueError: ConvolutionLayer '0' {HERE}: kernel has 0 elements, expected a multiple "
            + MAPS,
        ),
        (
            lambda n, x: out(n.add_deconvolution_nd(x, 2, (3, 3), KERNEL), padding_mode=UPPER),
            IMAGE,
            f"NotImplementedError: DeconvolutionLayer '0' {HERE}: padding_mode is SAME_UPPER, "
            "expected EXPLICIT_ROUND_DOWN",
        ),
        (
            lambda n, x: out(n.add_deconvolution_nd(x, 2, (3, 3), KERNEL)),
            CHANNELS,
            f"NotImplementedError: DeconvolutionLayer '0' {HERE}: the number of input channels "
            + KNOWN,
        ),
        (
            lambda n, x: out(n.add_attention(x, x, x, trt.AttentionNormalizationOp.NONE, True)),
            IMAGE,
            f"NotImplementedError: Attention '0' {HERE}: norm_op is NONE, expected SOFTMAX with a "
            "mask or causal",
        ),
        (
            _grouped(0b1000),
            IMAGE,
            f"NotImplementedError: NormalizationLayer '2' {HERE}: num_groups is 2 and axes [3], "
            "expected all axes behind the channels",
        ),
        (
            _grouped(0b1100),
            CHANNELS,
            f"NotImplementedError: NormalizationLayer '2' {HERE}: the number of channels {KNOWN}",
        ),
    ],
)
def test_the_reason_says_it(body: Any, x: Any, message: str) -> None:
    assert whole_reason(body, x) == "its converter raised " + message
