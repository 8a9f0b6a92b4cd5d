"""Upsampling in all modes, sampling at grids, moves between channels and pixels."""

import torch
from ops.harness import Dyn, Row, T, op_rows
from torch import nn
from torch.nn import functional as F

IMAGE = Dyn((1, 3, 5, 4), (2, 3, 8, 6), (4, 3, 12, 11))


def to_size_of(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return F.interpolate(x, size=y.shape[-2:], mode="bilinear", align_corners=False)


def doubled_by_hand(x: torch.Tensor) -> torch.Tensor:
    return F.interpolate(x, size=[x.shape[2] * 2, x.shape[3] * 2], mode="nearest")


@op_rows(
    ("size_1d", lambda x: F.interpolate(x, 11), T(2, 3, 5)),
    ("size", nn.Upsample(size=(11, 5)), T(2, 3, 5, 7)),
    ("smaller", nn.Upsample(size=(3, 5)), T(2, 3, 7, 9)),
    ("scale", nn.Upsample(scale_factor=2.0), IMAGE),
    ("scale_half", nn.Upsample(scale_factor=0.5), IMAGE),
    ("scale_uneven", nn.Upsample(scale_factor=(1.3, 2.7)), T(2, 3, 5, 7)),
    ("size_3d", nn.Upsample(size=(4, 5, 7)), T(1, 2, 3, 4, 5)),
    ("exact", nn.Upsample(size=(11, 5), mode="nearest-exact"), T(2, 3, 5, 7)),
    ("exact_1d", nn.Upsample(scale_factor=1.7, mode="nearest-exact"), T(2, 3, 7)),
    ("exact_3d", nn.Upsample(scale_factor=2, mode="nearest-exact"), T(1, 2, 3, 4, 5)),
    ("by_hand", doubled_by_hand, IMAGE),
    ("bytes", lambda x: F.interpolate(x, scale_factor=2), T(1, 3, 5, 4, dtype=torch.uint8)),
)
def test_upsample_nearest(case):
    case.check()


@op_rows(
    ("size_1d", nn.Upsample(size=11, mode="linear"), T(2, 3, 5)),
    ("size", nn.Upsample(size=(11, 5), mode="bilinear"), T(2, 3, 5, 7)),
    ("corners", nn.Upsample(size=(11, 5), mode="bilinear", align_corners=True), T(2, 3, 5, 7)),
    ("scale", nn.Upsample(scale_factor=2, mode="bilinear"), IMAGE),
    ("scale_uneven", nn.Upsample(scale_factor=1.3, mode="bilinear"), T(2, 3, 5, 7)),
    (
        "scale_recomputed",
        lambda x: F.interpolate(x, scale_factor=1.3, mode="bilinear", recompute_scale_factor=True),
        T(2, 3, 5, 7),
    ),
    ("to_other", to_size_of, IMAGE, Dyn((1, 1, 5, 4), (1, 1, 9, 9), (1, 1, 20, 22))),
    ("size_3d", nn.Upsample(size=(4, 5, 7), mode="trilinear"), T(1, 2, 3, 4, 5)),
    ("corners_3d", nn.Upsample(None, 2, "trilinear", True), T(1, 2, 3, 4, 5)),
)
def test_upsample_linear(case):
    case.check()


@op_rows(
    Row("size", nn.Upsample(size=(11, 5), mode="bicubic"), T(2, 3, 5, 7), tolerance=10),
    Row("corners", nn.Upsample((11, 5), None, "bicubic", True), T(2, 3, 5, 7), tolerance=10),
    Row("scale", nn.Upsample(scale_factor=2, mode="bicubic"), IMAGE, tolerance=10),
)
def test_upsample_bicubic(case):
    case.check()


def sampled(mode: str, padding: str, corners: bool):
    return lambda x, g: F.grid_sample(x, g, mode, padding, corners)


@op_rows(
    *(
        (f"{mode}_{padding}_{corners}", sampled(mode, padding, corners), T(2, 3, 5, 6), GRID)
        for GRID in [T(2, 4, 7, 2, low=-1.3, high=1.3)]
        for mode in ("bilinear", "nearest", "bicubic")
        for padding in ("zeros", "border", "reflection")
        for corners in (False, True)
    ),
    (
        "dynamic",
        sampled("bilinear", "zeros", False),
        IMAGE,
        Dyn((1, 4, 7, 2), (2, 5, 7, 2), (4, 9, 9, 2)),
    ),
)
def test_grid_sampler(case):
    case.check()


def spatial_transform(x: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
    return F.grid_sample(x, F.affine_grid(theta, [2, 3, 4, 5], False), align_corners=False)


@op_rows(
    ("grid_2d", lambda t: F.affine_grid(t, [2, 3, 4, 5], False), T(2, 2, 3)),
    ("corners", lambda t: F.affine_grid(t, [2, 3, 4, 5], True), T(2, 2, 3)),
    ("grid_3d", lambda t: F.affine_grid(t, [2, 3, 4, 5, 6], False), T(2, 3, 4)),
    ("transform", spatial_transform, T(2, 3, 6, 7), T(2, 2, 3)),
)
def test_affine_grid(case):
    case.check()


@op_rows(
    ("shuffle", nn.PixelShuffle(2), T(2, 8, 3, 4)),
    ("shuffle_dynamic", nn.PixelShuffle(3), Dyn((1, 9, 2, 2), (2, 9, 3, 4), (4, 9, 5, 5))),
    ("shuffle_no_batch", nn.PixelShuffle(2), T(8, 3, 4)),
    ("shuffle_rank_5", nn.PixelShuffle(2), T(2, 3, 8, 3, 4)),
    ("unshuffle", nn.PixelUnshuffle(2), T(2, 3, 4, 6)),
    ("unshuffle_no_batch", nn.PixelUnshuffle(2), T(3, 4, 6)),
    ("channels", nn.ChannelShuffle(2), T(2, 6, 3, 4)),
    ("channels_dynamic", nn.ChannelShuffle(3), Dyn((1, 6, 2, 2), (2, 6, 3, 4), (4, 6, 5, 5))),
)
def test_pixel_shuffle(case):
    case.check()
