"""One test a message: what comes to ops from PyTorch, and what an engine does not give back."""

from typing import Any

import pytest
import torch
from errors.harness import dynamic, reasons

torch.manual_seed(0)
MATRIX = torch.rand(3, 4)


@pytest.mark.parametrize(
    ("op", "body", "inputs", "sentence"),
    [
        (
            "aten::mul.Scalar",
            "(x * x.sum().item()) @ y",
            (MATRIX, torch.rand(4, 4)),
            "it needs a number known only at run time",
        ),
        (
            "aten::eq.Scalar",
            "x.to(torch.complex64) == 1",
            (MATRIX,),
            "its input from aten::to.dtype at <string>:2: no engine has the dtype ComplexFloat",
        ),
        (
            "aten::gt.Scalar",
            "x.to(torch.float64) > 1",
            (MATRIX,),
            "its input is float64, which no engine computes in",
        ),
        (
            "aten::stack",
            "torch.stack(torch.unbind(x))",
            (dynamic((2, 3, 5), 4),),
            "it takes a list whose length is known only at run time",
        ),
        (
            "aten::where.self",
            "torch.where(x > 0, torch.full([4], 1j), torch.full([4], 1j))",
            (MATRIX,),
            "[conversion] a constant has the dtype ComplexFloat, which no engine has",
        ),
        (
            "aten::split.Tensor",
            "torch.split(torch.relu(x), 1)",
            (MATRIX,),
            "it gives a list that PyTorch needs",
        ),
    ],
)
def test_why_an_op_stays_in_pytorch(
    op: str, body: str, inputs: tuple[Any, ...], sentence: str
) -> None:
    assert reasons(body, *inputs)[op] == sentence


def test_an_op_that_the_user_keeps_and_its_list() -> None:
    body = "a, b, c = torch.relu(x).split(1)\nreturn torch.relu(a + b + c)"
    assert reasons(body, MATRIX, torch_executed_ops=["aten::split"]) == {
        "aten::split.Tensor": "listed in torch_executed_ops",
        "prim::ListUnpack": "the list that it takes apart is made in PyTorch",
    }


def test_a_list_of_another_length() -> None:
    body = "a, b = torch.relu(x).split(1)\nreturn torch.relu(a + b)"
    found = reasons(body, MATRIX)
    sentence = "the list has 3 elements, expected 2"
    assert found["aten::split.Tensor"].startswith("[conversion] prim::ListUnpack at ")
    assert found["aten::split.Tensor"].endswith(f": {sentence}")
