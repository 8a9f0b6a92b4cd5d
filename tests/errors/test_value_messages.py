"""One row a message: ops that pick, shape and compute values, and stay in PyTorch."""

from typing import Any

import pytest
import torch
from errors.harness import dynamic, reasons, refusal

Row = tuple[str, str, tuple[Any, ...], str]
torch.manual_seed(0)
MATRIX = torch.rand(3, 4)
SQUARE = torch.rand(4, 4)
INTS = torch.ones(3, dtype=torch.int32)
ROWS_AND_COLUMNS = dynamic((2, 3, 5), 4)
LENGTHS = dynamic((1, 2, 2), 2, 3)

POINTWISE: list[Row] = [
    (
        "aten::bitwise_left_shift.Tensor_Scalar",
        "torch.bitwise_left_shift(x, 40)",
        (INTS,),
        "other is 40, expected 0..30",
    ),
    (
        "aten::eq.Scalar",
        "x == 1j",
        (MATRIX,),
        "'self' and 'other' are not tensors or numbers",
    ),
    (
        "aten::eq.Scalar",
        "(x == float(x.sum())).float() @ y",
        (MATRIX, SQUARE),
        "the types of 'self' and 'other' are not known",
    ),
    (
        "aten::eq.Tensor",
        "x == torch.full([4], 1j)",
        (MATRIX,),
        "it computes in ComplexFloat, which no engine has",
    ),
]
INDEXING: list[Row] = [
    (
        "aten::one_hot",
        "torch.ops.aten.one_hot((x * 3).long().abs()).float().flatten(1).sum(1, keepdim=True) @ y",
        (MATRIX, torch.rand(1, 4)),
        "num_classes is -1, expected it to be given: it must not depend on the data",
    ),
    (
        "aten::masked_select",
        "torch.masked_select(x.sum(), x.sum() > -1).expand(4).unsqueeze(0) @ y",
        (MATRIX, SQUARE),
        "self and mask are scalars, expected a tensor with axes",
    ),
    (
        "aten::index_put.hacked_twin",
        "torch.index_put(x, [y, y, y], torch.ones(1))",
        (MATRIX, torch.tensor([0, 1])),
        "more indices than self's 2 axes",
    ),
    (
        "aten::index_put.hacked_twin",
        "torch.index_put(x, [x.sum() > 0], y)",
        (MATRIX, torch.rand(3, 4)),
        "an index is a bool scalar, expected a mask with axes",
    ),
    (
        "aten::index_reduce",
        'torch.index_reduce(x, 0, y, x, reduce="middle")',
        (MATRIX, torch.tensor([0, 0, 0])),
        "reduce is 'middle', which PyTorch does not have",
    ),
    (
        "aten::repeat_interleave.self_Tensor",
        "torch.repeat_interleave(x, torch.tensor([2]), dim=0)",
        (ROWS_AND_COLUMNS,),
        "self has a dynamic size along dim, expected a static one",
    ),
    (
        "aten::as_strided",
        "torch.as_strided(x.cumsum(0), [2, 8], [8, 1])",
        (MATRIX,),
        "it reads beyond self's 12 elements",
    ),
    (
        "aten::softmax.int",
        "torch.softmax(x, 9)",
        (MATRIX,),
        "dim is 9, expected -2..1 for a tensor of rank 2",
    ),
]
LISTS: list[Row] = [
    (
        "aten::searchsorted.Tensor",
        'torch.searchsorted(x, x, side="middle")',
        (MATRIX,),
        "side is 'middle', expected 'left' or 'right'",
    ),
    (
        "aten::as_strided",
        "torch.as_strided(x, [2, 2], [1, 2]) + 1",
        (torch.rand(4, 3).t(),),
        "self is an argument, of which each call has its own strides",
    ),
    (
        "aten::unbind.int",
        "torch.stack(torch.unbind(x))",
        (ROWS_AND_COLUMNS,),
        "self has the dynamic size 2..3..5 at axis 0, expected a static one",
    ),
    (
        "aten::tensor",
        "x + torch.tensor([x.size(0), 2][y:]).sum()",
        (MATRIX, 2),
        "data is empty, expected at least one number",
    ),
    (
        "aten::sum.dim_IntList",
        "x.sum([0, 1][:y])",
        (MATRIX, 1),
        "the list 'dim' is known only at run time",
    ),
    (
        "aten::permute",
        "x.permute(y, 1 - y)",
        (MATRIX, 1),
        "the list 'dims' has an element known only at run time, "
        "expected integers known at compile time",
    ),
    (
        "aten::upsample_nearest2d.vec",
        "torch.ops.aten.upsample_nearest2d(x, None, [y, y])",
        (torch.rand(2, 3, 4, 4), 2.0),
        "the list 'scale_factors' has an element known only at run time, "
        "expected numbers known at compile time",
    ),
    (
        "aten::softmax.int",
        "torch.softmax(x, y)",
        (MATRIX, 1),
        "argument 'dim' is known only at run time, expected a number known at compile time",
    ),
    (
        "aten::softmax.int",
        "torch.softmax(x, 1, dtype=torch.float64)",
        (MATRIX,),
        "it gives float64, which no engine computes in",
    ),
]


@pytest.mark.parametrize("row", [*POINTWISE, *INDEXING, *LISTS], ids=lambda row: row[0])
def test_an_op_stays_in_pytorch(row: Row) -> None:
    op, body, inputs, sentence = row
    assert refusal(op, body, *inputs) == sentence


def test_a_view_with_strides_of_its_own() -> None:
    sentence = "self is a view with strides of its own, expected a contiguous tensor"
    body = "torch.as_strided(x.t(), [2, 2], [1, 2])"
    assert refusal("aten::as_strided", body, MATRIX) == sentence


@pytest.mark.parametrize(
    ("body", "op"),
    [
        ("torch.as_strided(x.t(), [2, 2], [1, 2]) * 2", "aten::t"),
        ("torch.relu(x.t()).as_strided([2, 2], [1, 2]) * 2", "aten::relu"),
    ],
)
def test_what_makes_strides_that_are_read_stays_in_pytorch(body: str, op: str) -> None:
    found = reasons(body, MATRIX)
    assert found[op] == "aten::as_strided reads how its result lies in memory"
