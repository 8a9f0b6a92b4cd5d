"""Convolutions: plain, padded by name, transposed, without a batch, with computed weights."""

import torch
from ops.harness import Dyn, T, op_rows
from torch import nn
from torch.nn import functional as F

IMAGE = Dyn((1, 4, 8, 8), (2, 4, 12, 10), (4, 4, 16, 16))


@op_rows(
    ("conv1d", nn.Conv1d(4, 6, 3, stride=2, padding=1), T(2, 4, 11)),
    ("conv2d", nn.Conv2d(4, 6, 3), T(2, 4, 9, 7)),
    ("no_bias", nn.Conv2d(4, 6, (3, 1), bias=False), T(2, 4, 9, 7)),
    ("strides", nn.Conv2d(4, 6, (3, 5), (2, 1), (1, 2), (2, 1)), T(2, 4, 13, 9)),
    ("grouped", nn.Conv2d(4, 8, 3, groups=2), T(2, 4, 9, 7)),
    ("depthwise", nn.Conv2d(4, 4, 3, groups=4, padding=1), IMAGE),
    ("dynamic", nn.Conv2d(4, 6, 3, stride=2, padding=1), IMAGE),
    ("conv3d", nn.Conv3d(2, 4, 3, stride=(1, 2, 1), padding=1), T(2, 2, 5, 6, 7)),
    ("no_batch_1d", nn.Conv1d(4, 6, 3), T(4, 11)),
    ("no_batch_2d", nn.Conv2d(4, 6, 3), T(4, 9, 7)),
)
def test_conv(case):
    case.check()


@op_rows(
    ("one_dtype", nn.Conv2d(4, 6, 3, padding=1), T(2, 4, 9, 7)),
    dtypes=(torch.float16, torch.bfloat16),
)
def test_conv_half(case):
    case.check()


@op_rows(
    ("same", nn.Conv2d(4, 6, 3, padding="same"), IMAGE),
    ("same_even", nn.Conv2d(4, 6, (4, 2), padding="same"), T(2, 4, 9, 7)),
    ("same_dilated", nn.Conv1d(4, 6, 4, dilation=3, padding="same"), T(2, 4, 17)),
    ("valid", nn.Conv2d(4, 6, 3, padding="valid", stride=2), T(2, 4, 9, 7)),
    ("same_3d", nn.Conv3d(2, 2, (2, 3, 2), padding="same"), T(1, 2, 4, 5, 6)),
    ("reflect", nn.Conv2d(4, 6, 3, padding=1, padding_mode="reflect"), T(2, 4, 9, 7)),
    ("circular", nn.Conv1d(4, 6, 5, padding=2, padding_mode="circular"), T(2, 4, 9)),
)
def test_conv_named_padding(case):
    case.check()


@op_rows(
    ("plain_1d", nn.ConvTranspose1d(4, 6, 3), T(2, 4, 7)),
    ("plain_2d", nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1), IMAGE),
    ("output_padding", nn.ConvTranspose2d(4, 6, 3, 2, 1, output_padding=1), T(2, 4, 5, 6)),
    ("grouped", nn.ConvTranspose2d(4, 6, 2, 2, groups=2), T(2, 4, 5, 6)),
    ("dilated", nn.ConvTranspose2d(4, 6, 3, dilation=2, bias=False), T(2, 4, 5, 6)),
    ("plain_3d", nn.ConvTranspose3d(2, 3, 2, stride=2), T(1, 2, 3, 4, 5)),
    ("no_batch", nn.ConvTranspose2d(4, 6, 3), T(4, 5, 6)),
)
def test_conv_transpose(case):
    case.check()


class Standardized(nn.Conv2d):
    """The weight is computed in the graph."""

    def forward(self, x: torch.Tensor, gain: torch.Tensor) -> torch.Tensor:
        return F.conv2d(x, self.weight * gain, self.bias, self.stride, self.padding)


@op_rows(
    ("computed_weight", Standardized(4, 6, 3, padding=1), T(2, 4, 9, 7), T(6, 1, 1, 1)),
    (
        "weight_is_input",
        lambda x, w: torch.convolution(x, w, None, (1, 1), (1, 1), (1, 1), False, (0, 0), 1),
        T(2, 4, 9, 7),
        T(6, 4, 3, 3),
    ),
    ("conv_tbc", lambda x, w, b: torch.conv_tbc(x, w, b, 1), T(7, 2, 4), T(3, 4, 5), T(5)),
)
def test_conv_weights(case):
    case.check()
