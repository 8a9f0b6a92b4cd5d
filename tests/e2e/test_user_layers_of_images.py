"""Layers of ctx.net that compute images, and tensors made from nothing."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from e2e.user_layers import IMAGE, L, Row, layer_rows, out, sizes_after, weights, zero
from ops.harness import Dyn, T
from torch_tensorrt.dynamo.conversion import trt

E, SAMPLE = trt.ElementWiseOperation, trt.SampleMode
IMAGES = T(2, 4, 5, 7)
POOL = trt.PoolingType
LINEAR, CUBIC = trt.InterpolationMode.LINEAR, trt.InterpolationMode.CUBIC
HALF_PIXEL = trt.ResizeCoordinateTransformation.HALF_PIXEL
CORNERS = trt.ResizeCoordinateTransformation.ALIGN_CORNERS
GRID = weights(2, 5, 4, 2) * 2


def _resized(net: Any, x: Any, **options: Any) -> Any:
    return out(net.add_resize(x), **options)


@layer_rows(
    (
        "max",
        L("add_pooling_nd", POOL.MAX, (3, 3), stride_nd=(2, 2), padding_nd=(1, 1)),
        lambda x: F.max_pool2d(x, 3, 2, 1),
        IMAGE,
    ),
    (
        "max rounded up",
        L(
            "add_pooling_nd",
            POOL.MAX,
            (2, 2),
            stride_nd=(2, 2),
            padding_mode=trt.PaddingMode.EXPLICIT_ROUND_UP,
        ),
        lambda x: F.max_pool2d(x, 2, 2, ceil_mode=True),
        IMAGES,
    ),
    (
        "average",
        L("add_pooling_nd", POOL.AVERAGE, (3, 2), stride_nd=(2, 2), padding_nd=(1, 0)),
        lambda x: F.avg_pool2d(x, (3, 2), 2, (1, 0), count_include_pad=False),
        IMAGE,
    ),
    (
        "average with padding",
        L(
            "add_pooling_nd",
            POOL.AVERAGE,
            (3, 3),
            pre_padding=(1, 1),
            post_padding=(1, 1),
            average_count_excludes_padding=False,
        ),
        lambda x: F.avg_pool2d(x, 3, 1, 1),
        IMAGE,
    ),
    (
        "blend",
        L("add_pooling_nd", POOL.MAX_AVERAGE_BLEND, (2, 2), blend_factor=0.25),
        lambda x: 0.75 * F.max_pool2d(x, 2, 1) + 0.25 * F.avg_pool2d(x, 2, 1),
        IMAGE,
    ),
    (
        "resize to the nearest",
        lambda n, x: _resized(n, x, scales=[1, 1, 2, 1.5]),
        lambda x: F.interpolate(x, scale_factor=(2, 1.5)),
        IMAGE,
    ),
    (
        "resize linearly",
        lambda n, x: _resized(
            n, x, shape=(2, 4, 9, 3), resize_mode=LINEAR, coordinate_transformation=HALF_PIXEL
        ),
        lambda x: F.interpolate(x, (9, 3), mode="bilinear"),
        IMAGES,
    ),
    (
        "resize by cubes",
        lambda n, x: _resized(
            n, x, scales=[1, 1, 2, 2], resize_mode=CUBIC, coordinate_transformation=CORNERS
        ),
        lambda x: F.interpolate(x, scale_factor=2, mode="bicubic", align_corners=True),
        IMAGE,
    ),
    (
        "resize by input",
        lambda n, x: _resized(
            n,
            x,
            resize_mode=LINEAR,
            coordinate_transformation=HALF_PIXEL,
            inputs={1: sizes_after(n, x, 0, 0, 3, 4)},
        ),
        lambda x: F.interpolate(x, (9, 12), mode="bilinear"),
        IMAGE,
    ),
    (
        "grid_sample",
        L("add_grid_sample", GRID),
        lambda x: F.grid_sample(x, GRID, align_corners=False),
        T(2, 3, 5, 6),
    ),
    (
        "grid_sample to the nearest",
        L(
            "add_grid_sample",
            GRID,
            interpolation_mode=trt.InterpolationMode.NEAREST,
            sample_mode=SAMPLE.CLAMP,
            align_corners=True,
        ),
        lambda x: F.grid_sample(x, GRID, "nearest", "border", True),
        T(2, 3, 5, 6),
    ),
    (
        "lrn",
        L("add_lrn", 3, 0.1, 0.75, 1.0),
        lambda x: F.local_response_norm(x, 3, 0.1),
        T(2, 6, 4, 4),
    ),
    (
        "padding_nd",
        L("add_padding_nd", (1, -1), (2, -2)),
        lambda x: F.pad(x, (-1, -2, 1, 2)),
        IMAGE,
    ),
)
def test_images(row: Row, engine: str) -> None:
    row.check(engine)


def _plus(net: Any, x: Any, fill: Any) -> Any:
    return out(net.add_elementwise(x, fill, E.SUM))


def _in_bounds(net: Any, x: Any, low: float, high: float, **options: Any) -> Any:
    """Are random numbers of x's shape within bounds, and not all the same?"""
    layer = net.add_fill((), trt.FillOperation.RANDOM_UNIFORM)
    noise = out(layer, inputs={0: out(net.add_shape(x)), **options}, alpha=low, beta=high)
    largest = out(net.add_reduce(noise, trt.ReduceOperation.MAX, 0b11, False))
    least = out(net.add_reduce(noise, trt.ReduceOperation.MIN, 0b11, False))
    above = out(net.add_elementwise(least, low - 1e-3, E.GREATER))
    below = out(net.add_elementwise(largest, high + 1e-3, E.LESS))
    spread = out(net.add_elementwise(largest, least, E.GREATER))
    both = out(net.add_elementwise(above, below, E.AND))
    return out(net.add_elementwise(both, spread, E.AND))


@layer_rows(
    (
        "linspace",
        lambda n, x: _plus(
            n, x, out(n.add_fill((6,), trt.FillOperation.LINSPACE), alpha=1, beta=0.5)
        ),
        lambda x: x + torch.arange(6) * 0.5 + 1,
        T(6),
    ),
    (
        "linspace of integers",
        lambda n, x: out(
            n.add_fill((), trt.FillOperation.LINSPACE, trt.int64),
            inputs={0: out(n.add_shape(x)), 1: torch.tensor(2), 2: torch.tensor([3])},
        ),
        lambda x: torch.arange(x.shape[0]) * 3 + 2,
        Dyn((1,), (4,), (6,)),
    ),
    (
        "random_uniform",
        lambda n, x: _in_bounds(n, x, -2.0, 3.0),
        lambda x: zero(x) == 0,
        T(40, 6),
    ),
)
def test_add_fill(row: Row, engine: str) -> None:
    row.check(engine)
