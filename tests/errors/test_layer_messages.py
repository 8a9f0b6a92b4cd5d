"""One row a message: layers whose arguments no engine takes."""

from typing import Any

import pytest
import torch
from errors.harness import dynamic, refusal

Row = tuple[str, str, tuple[Any, ...], str]
torch.manual_seed(0)
MATRIX = torch.rand(3, 4)
IMAGES = torch.rand(2, 3, 4, 4)
QUERY = torch.rand(1, 2, 4, 8)
INTS = torch.ones(4, 4, dtype=torch.int32)
DYNAMIC_IMAGES = dynamic(2, 3, (4, 4, 8), (4, 4, 8))

# Some of them PyTorch compiles and refuses to run: there neither side runs.
CONVOLUTION: list[Row] = [
    (
        "aten::convolution",
        "torch.convolution(x, y, None, [1] * 4, [0] * 4, [1] * 4, False, [0] * 4, 1)",
        (torch.rand(1, 2, 2, 2, 2, 2), torch.rand(1, 2, 1, 1, 1, 1)),
        "weight has rank 6, expected 3 to 5 (1 to 3 spatial axes)",
    ),
    (
        "aten::conv2d.padding",
        'torch.conv2d(x, y, padding="same")',
        (IMAGES, dynamic(3, 3, (1, 3, 3), (1, 3, 3))),
        "weight has a dynamic kernel size, expected a static one",
    ),
    (
        "aten::adaptive_max_pool2d",
        "torch.ops.aten.adaptive_max_pool2d(x, [2, 2])[0]",
        (dynamic(2, 3, (4, 4, 8), 4),),
        "self has the dynamic size 4..4..8 at axis 2, "
        "expected a static one for an output size of 2",
    ),
    (
        "aten::col2im",
        "torch.ops.aten.col2im(x, [4, 4], [2, 2], [1, 1], [0, 0], [1, 1])",
        (dynamic(1, (4, 8, 8), 9),),
        "self has a dynamic number of rows, expected a static one",
    ),
]
ATTENTION: list[Row] = [
    (
        "aten::scaled_dot_product_attention",
        "torch.nn.functional.scaled_dot_product_attention(x, x, x)",
        (dynamic(1, 2, 4, (4, 8, 16)),),
        "the last dimension of query is dynamic, expected a static one or a given scale",
    ),
    (
        "aten::_scaled_dot_product_flash_attention_for_cpu",
        "torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(x, x, x)",
        (QUERY,),
        "its result 1 is used, expected only the attention itself (result 0)",
    ),
]
WEIGHTS = (torch.rand(2, 3, 4), torch.rand(12, 4), torch.rand(12), torch.rand(4, 4), torch.rand(4))
MULTI_HEAD = "torch._native_multi_head_attention(x, x, x, 4, 2, y, z, u, v, {})[{}]"
MASK = torch.zeros(3, 3, dtype=torch.bool)
ATTENTION += [
    (
        "aten::_native_multi_head_attention",
        MULTI_HEAD.format("w, False, True, 7", 0),
        (*WEIGHTS, MASK),
        "mask_type is 7, expected 0, 1 or 2",
    ),
    (
        "aten::_native_multi_head_attention",
        MULTI_HEAD.format("None, False", 1),
        WEIGHTS,
        "its result 1 is used although need_weights is False, which makes it None",
    ),
]
PRODUCTS: list[Row] = [
    (
        "aten::matmul",
        "torch.matmul(x, y)",
        (torch.rand(3, 4), INTS),
        "operands are f32 and i32, expected one floating type",
    ),
    (
        "aten::linear",
        "torch.nn.functional.linear(x, x)",
        (INTS,),
        "operands are i32, expected a floating type",
    ),
    (
        "aten::einsum",
        'torch.einsum("abcdefg,hijklmn,opqrstu,vwxyzAB->ahov", [x, x, x, x])',
        (torch.ones(1, 1, 1, 1, 1, 1, 1),),
        "the equation has more than 26 dimensions",
    ),
]
STATISTICS = "x, torch.ones(3), torch.zeros(3), torch.zeros(3), torch.ones(3)"
NORMS: list[Row] = [
    (
        "aten::cudnn_batch_norm",
        f"torch.cudnn_batch_norm({STATISTICS}, True, 0.1, 1e-5)[0]",
        (IMAGES,),
        "training is True; put the model into eval mode",
    ),
    (
        "aten::_native_batch_norm_legit_no_training",
        f"torch.ops.aten._native_batch_norm_legit_no_training({STATISTICS}, 0.1, 1e-5)[1]",
        (IMAGES,),
        "its result 1 is used, which is empty in inference",
    ),
    (
        "aten::linalg_norm",
        "torch.ops.aten.linalg_norm(x, 2)",
        (MATRIX,),
        "ord is 2 over 2 axes, expected one axis or ord=None",
    ),
    (
        "aten::linalg_matrix_norm.str_ord",
        'torch.linalg.matrix_norm(x, "nuc")',
        (MATRIX,),
        "ord is 'nuc', expected 'fro'",
    ),
    (
        "aten::std",
        "torch.std(x.sum())",
        (MATRIX,),
        "self has no dimensions, expected at least 1",
    ),
]
RESIZES: list[Row] = [
    (
        "aten::upsample_nearest2d.vec",
        "torch.ops.aten.upsample_nearest2d(x, None, [1.3, 1.3])",
        (DYNAMIC_IMAGES,),
        "scale factor 1.3 on a dynamic dimension, expected a multiple of 1/64 or an output size",
    ),
    (
        "aten::upsample_nearest2d",
        "torch.ops.aten.upsample_nearest2d(x, [x.size(2) * 2, x.size(3) * 2], 1.5, None)",
        (DYNAMIC_IMAGES,),
        "a scale factor is given for some dynamic dimensions only, expected all or none",
    ),
    (
        "aten::upsample_bilinear2d",
        "torch.ops.aten.upsample_bilinear2d(x, [8, 8], False)",
        (torch.rand(3, 4, 4),),
        "self has rank 3, expected 4",
    ),
    (
        "aten::affine_grid_generator",
        "torch.affine_grid_generator(x, y.size(), False)",
        (torch.rand(2, 2, 3), dynamic(2, 3, (4, 4, 8), 4)),
        "size[2] is dynamic, expected a number",
    ),
]
HIDDEN = (15, 15, 18), (5, 5, 6)
SEQUENCES: list[Row] = [
    (
        "aten::gru.input",
        "torch.gru(x, y, [z, u], False, 1, 0.0, False, False, False)[0]",
        (torch.rand(3, 2, 4), dynamic(1, 2, HIDDEN[1]), dynamic(HIDDEN[0], 4), dynamic(*HIDDEN)),
        "the hidden size is dynamic, expected a static one",
    ),
    (
        "aten::lstm.input",
        "torch.lstm(x, [y, z], [u, v, w], False, 1, 0.0, False, False, False)[0]",
        (
            torch.rand(3, 2, 4),
            torch.rand(1, 2, 2),
            torch.rand(1, 2, 5),
            torch.rand(20, 4),
            torch.rand(20, 2),
            torch.rand(2, 5),
        ),
        "params has 3 tensors, expected 2; projections (proj_size) have no engine layer",
    ),
    (
        "aten::cumprod",
        "torch.cumprod(x, 0)",
        (dynamic((2, 3, 5), 4),),
        "axis 0 has a dynamic size, expected a static one",
    ),
]


ROWS = [*CONVOLUTION, *ATTENTION, *PRODUCTS, *NORMS, *RESIZES, *SEQUENCES]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_layer_stays_in_pytorch(row: Row) -> None:
    op, body, inputs, sentence = row
    assert refusal(op, body, *inputs) == sentence


@pytest.mark.parametrize(
    ("modes", "sentence"),
    [
        ("3, 0", "interpolation_mode is 3, expected 0, 1 or 2"),
        ("0, 4", "padding_mode is 4, expected 0, 1 or 2"),
    ],
)
def test_modes_of_a_grid_that_pytorch_does_not_define(modes: str, sentence: str) -> None:
    body = f"torch.grid_sampler(x, y, {modes}, False)"
    grid = torch.rand(2, 4, 4, 2)
    assert refusal("aten::grid_sampler", body, IMAGES, grid, run=False) == sentence
