"""What an engine may lay out otherwise: images of one column, and large images as results."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
import torch_tensorrt
from e2e.checks import assert_close, assert_one_engine
from torch import nn


class Column(nn.Module):
    """A convolution down a column, then `rest` of its result and of the input."""

    def __init__(
        self, rest: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], **options: object
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, (5, 1), **options)  # type: ignore[arg-type]
        self.norm = nn.BatchNorm2d(8)
        self.norm.running_mean = torch.linspace(-1, 1, 8)
        self.square = nn.Conv2d(8, 8, 3, padding=1)
        self.down = nn.Conv2d(8, 4, (3, 1), padding=(1, 0))
        self.up = nn.ConvTranspose2d(8, 4, (4, 1), stride=(2, 1))
        self.in_groups = nn.Conv2d(8, 8, (3, 1), groups=4)
        self.rest = rest

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.rest(self, self.conv(x), x)


def row(n: int) -> torch.Tensor:
    return torch.linspace(-1, 1, n)


COLUMNS = {
    "alone": (lambda net, y, x: y, {}),
    "strided": (lambda net, y, x: y, {"stride": (3, 1)}),
    "stride across": (lambda net, y, x: y, {"stride": (1, 2)}),
    "dilated": (lambda net, y, x: y, {"dilation": (2, 1)}),
    "padded": (lambda net, y, x: y, {"padding": (2, 0)}),
    "padded across": (lambda net, y, x: y, {"padding": (2, 1)}),
    "normalized": (lambda net, y, x: net.norm(F.relu(y)), {}),
    "twice": (lambda net, y, x: net.down(net.norm(y).tanh()), {}),
    "max pool": (lambda net, y, x: F.max_pool2d(y, (3, 1), (2, 1), (1, 0), (2, 1)), {}),
    "max pool, ceil": (lambda net, y, x: F.max_pool2d(y, (2, 1), ceil_mode=True), {}),
    "max pool across": (lambda net, y, x: F.max_pool2d(y, 3, 1, 1), {}),
    "average pool": (lambda net, y, x: F.avg_pool2d(y, (3, 1), (2, 1), (1, 0)), {}),
    "average pool, part": (
        lambda net, y, x: F.avg_pool2d(
            y, (3, 1), (2, 1), (1, 0), ceil_mode=True, count_include_pad=False
        ),
        {},
    ),
    "pad": (lambda net, y, x: net.down(F.pad(y, (0, 0, 2, 1), value=3.0)), {}),
    "pad across": (lambda net, y, x: net.down(F.pad(y, (1, 0, 2, 1))), {}),
    "reflect": (lambda net, y, x: F.pad(y, (0, 0, 3, 2), "reflect") * 2, {}),
    "constant": (lambda net, y, x: y * row(8)[:, None, None] + 1.5 - row(1), {}),
    "constant across": (lambda net, y, x: y * row(4), {}),
    "constant a place": (lambda net, y, x: y * row(y.shape[2])[:, None], {}),
    "residual": (lambda net, y, x: y + x[:, :1, 4:], {}),
    "itself": (lambda net, y, x: (y + y.sigmoid()) * y, {}),
    "both": (lambda net, y, x: torch.cat([y.relu(), y], dim=3), {}),
    "mean": (lambda net, y, x: y.mean((2, 3)), {}),
    "transpose": (lambda net, y, x: y.permute(0, 3, 2, 1).flatten(2), {}),
    "square kernel": (lambda net, y, x: net.square(y), {}),
    "transposed convolution": (lambda net, y, x: net.up(y), {}),
    "groups": (lambda net, y, x: net.in_groups(y), {}),
}


@pytest.mark.parametrize("case", COLUMNS)
def test_columns(case: str) -> None:
    rest, options = COLUMNS[case]
    torch.manual_seed(0)
    net = Column(rest, **options).eval()
    x = torch.randn(2, 3, 31, 1)
    fast = torch_tensorrt.compile(net, inputs=[x], engine="openvino", min_block_size=1)
    assert_one_engine(fast, "openvino")
    assert_close(fast(x), net(x))


@pytest.mark.parametrize("case", ["normalized", "max pool", "pad", "residual", "mean"])
def test_columns_of_any_height(case: str) -> None:
    rest, options = COLUMNS[case]
    torch.manual_seed(0)
    net = Column(rest, **options).eval()
    heights = torch_tensorrt.Input(
        min_shape=(1, 3, 8, 1), opt_shape=(2, 3, 31, 1), max_shape=(3, 3, 64, 1)
    )
    fast = torch_tensorrt.compile(net, inputs=[heights], engine="openvino", min_block_size=1)
    assert_one_engine(fast, "openvino")
    for batch, height in ((2, 31), (1, 8), (3, 64)):
        x = torch.randn(batch, 3, height, 1)
        assert_close(fast(x), net(x))


class Scores(nn.Module):
    """Scores of each pixel, as segmentation gives them."""

    def __init__(self, channels: int, size: int, mode: str = "bilinear") -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, channels, 3, padding=1)
        self.size, self.mode = size, mode

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        low = self.conv(x)
        high = F.interpolate(low, size=(self.size, self.size + 3), mode=self.mode)
        return high, high.sigmoid() * 2, high.argmax(1)


@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
@pytest.mark.parametrize(
    ("channels", "size"), [(16, 128), (21, 150), (3, 150), (21, 40), (70, 130)]
)
@pytest.mark.parametrize("batch", [1, 2])
def test_large_images_as_results(batch: int, channels: int, size: int, mode: str) -> None:
    torch.manual_seed(0)
    net = Scores(channels, size, mode).eval()
    x = torch.randn(batch, 3, 40, 40)
    fast = torch_tensorrt.compile(net, inputs=[x], engine="openvino", min_block_size=1)
    assert_one_engine(fast, "openvino")
    *scores, best = fast(x)
    *expected, expected_best = net(x)
    assert_close(scores, expected)
    assert (best == expected_best).float().mean() > 0.999
    assert all(one.is_contiguous() for one in scores)
