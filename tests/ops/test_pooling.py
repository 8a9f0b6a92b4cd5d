"""Pools: windows, ceil_mode, divisors, adaptive sizes."""

import torch
from ops.harness import Dyn, T, op_rows
from torch import nn
from torch.nn import functional as F

IMAGE = Dyn((1, 4, 8, 8), (2, 4, 12, 10), (4, 4, 17, 15))


@op_rows(
    ("pool_1d", nn.MaxPool1d(3, 2), T(2, 4, 11)),
    ("pool_2d", nn.MaxPool2d(3, 2, 1), IMAGE),
    ("default_stride", nn.MaxPool2d((2, 3)), T(2, 4, 9, 9)),
    ("dilated", nn.MaxPool2d(2, 1, 1, dilation=2), T(2, 4, 9, 7)),
    ("ceil", nn.MaxPool2d(2, 2, 1, ceil_mode=True), T(2, 4, 7, 8)),
    ("ceil_dynamic", nn.MaxPool2d(3, 2, 1, ceil_mode=True), IMAGE),
    ("pool_3d", nn.MaxPool3d(2, padding=1), T(1, 2, 5, 6, 7)),
    ("no_batch_1d", nn.MaxPool1d(3), T(4, 11)),
    ("no_batch_2d", nn.MaxPool2d(3), T(4, 9, 9)),
    ("indices_unused", lambda x: F.max_pool2d_with_indices(x, 2)[0], T(2, 4, 8, 8)),
)
def test_max_pool(case):
    case.check()


@op_rows(
    ("pool_1d", nn.AvgPool1d(3, 2, 1), T(2, 4, 11)),
    ("pool_2d", nn.AvgPool2d(3, 2, 1), IMAGE),
    ("without_pad", nn.AvgPool2d(3, 2, 1, count_include_pad=False), IMAGE),
    ("ceil", nn.AvgPool2d(3, 2, 1, ceil_mode=True), T(2, 4, 8, 7)),
    ("ceil_without_pad", nn.AvgPool2d(3, 2, 1, True, False), T(2, 4, 8, 7)),
    ("ceil_dynamic", nn.AvgPool2d(3, 2, 1, ceil_mode=True), IMAGE),
    ("divisor", nn.AvgPool2d(3, 2, 1, divisor_override=5), T(2, 4, 8, 7)),
    ("divisor_ceil", nn.AvgPool2d(3, 2, 1, True, True, 5), T(2, 4, 8, 7)),
    ("divisor_ceil_drops", nn.AvgPool2d(2, 2, 1, True, True, 5), T(2, 4, 7, 9)),
    ("divisor_dynamic", nn.AvgPool2d(2, 2, 1, True, True, 3), IMAGE),
    ("pool_3d", nn.AvgPool3d(2, divisor_override=3), T(1, 2, 4, 6, 5)),
    ("no_batch", nn.AvgPool2d(3), T(4, 9, 9)),
)
def test_avg_pool(case):
    case.check()


@op_rows(
    ("to_one", nn.AdaptiveAvgPool2d(1), IMAGE),
    ("to_one_1d", nn.AdaptiveAvgPool1d(1), T(2, 4, 9)),
    ("divisible", nn.AdaptiveAvgPool2d((3, 4)), T(2, 4, 9, 8)),
    ("uneven", nn.AdaptiveAvgPool2d((4, 3)), T(2, 4, 9, 8)),
    ("kept_axis", lambda x: F.adaptive_avg_pool2d(x, (None, 3)), T(2, 4, 9, 8)),
    ("larger", nn.AdaptiveAvgPool2d(7), T(2, 4, 3, 3)),
    ("uneven_1d", nn.AdaptiveAvgPool1d(4), T(2, 4, 9)),
    ("uneven_3d", nn.AdaptiveAvgPool3d((2, 3, 2)), T(1, 2, 5, 6, 7)),
    ("no_batch", nn.AdaptiveAvgPool2d((4, 3)), T(4, 9, 8)),
    ("dynamic_batch", nn.AdaptiveAvgPool2d((4, 3)), Dyn((1, 4, 9, 8), (2, 4, 9, 8), (4, 4, 9, 8))),
)
def test_adaptive_avg_pool(case):
    case.check()


@op_rows(
    ("to_one", nn.AdaptiveMaxPool2d(1), IMAGE),
    ("divisible", nn.AdaptiveMaxPool2d((3, 4)), T(2, 4, 9, 8)),
    ("uneven", nn.AdaptiveMaxPool2d((4, 3)), T(2, 4, 9, 8)),
    ("uneven_1d", nn.AdaptiveMaxPool1d(4), T(2, 4, 9)),
    ("uneven_3d", nn.AdaptiveMaxPool3d((2, 3, 2)), T(1, 2, 5, 6, 7)),
    ("no_batch", nn.AdaptiveMaxPool2d((4, 3)), T(4, 9, 8)),
)
def test_adaptive_max_pool(case):
    case.check()


@op_rows(
    ("max", nn.MaxPool2d(3, 2, 1), T(2, 4, 9, 7)),
    ("avg", nn.AvgPool2d(3, 2, 1), T(2, 4, 9, 7)),
    dtypes=(torch.float16, torch.bfloat16),
)
def test_pool_half(case):
    case.check()
