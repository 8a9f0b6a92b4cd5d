"""Whole sentences of the FX frontend: inputs, traces, passes, batches, engines."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch_tensorrt
from torch import nn
from torch_tensorrt import fx
from torch_tensorrt.fx import (
    InputTensorSpec,
    LowerPrecision,
    LowerSetting,
    TRTInterpreter,
    TRTModule,
    generate_input_specs,
)
from torch_tensorrt.fx.passes import PassManager, fold_conv_bn, fuse_permute_linear
from torch_tensorrt.fx.tools.batch_revision import change_batch

X = torch.linspace(-1, 1, 12).reshape(4, 3)
DYNAMIC = InputTensorSpec((-1, 3), torch.float32, shape_ranges=[((1, 3), (4, 3), (8, 3))])
# Apart from its sentence: another error, which no test provokes, has some of these words.
ONE = "1 tensors"
BATCHED = LowerSetting(dynamic_batch=True)


class First(nn.Module):
    """Three elements of the batch, at most."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:3]


class Fourth(nn.Module):
    """One element of the batch."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[3]


class Loop(nn.Module):
    """A loop over a tensor."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for row in x:
            x = x + row
        return x


class Sum(nn.Module):
    """Two inputs."""

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return x + y


RELU = fx.trace(nn.ReLU(), [X])


def three(module: torch.fx.GraphModule) -> int:
    """A pass that returns no graph."""
    return 3


def unbatched(*specs: Any) -> TRTInterpreter:
    """Converts `RELU` where dimension 0 is the batch."""
    return TRTInterpreter(RELU, specs, explicit_batch_dimension=False)


def engine_of_two() -> TRTModule:
    """An engine that reads x and y."""
    interpreter = TRTInterpreter(fx.trace(Sum(), [X, X]), [X, X])
    return TRTModule(*interpreter.run(lower_precision=LowerPrecision.FP32)[:3])


def never(first: Any, second: Any) -> bool:
    """A constraint that no order fulfils."""
    return False


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (
            lambda: unbatched(DYNAMIC).run(),
            ValueError,
            "explicit_batch_dimension is False, expected tensors or InputTensorSpecs without "
            "ranges",
        ),
        (
            lambda: unbatched(torch_tensorrt.Input((4, 3))).run(),
            ValueError,
            "explicit_batch_dimension is False, expected tensors or InputTensorSpecs without "
            "ranges",
        ),
        (
            lambda: generate_input_specs([X, X], BATCHED, [X]),
            ValueError,
            f"additional_inputs has {ONE}, expected 2",
        ),
        (
            lambda: generate_input_specs([X], BATCHED, [X[0]]),
            ValueError,
            "additional_inputs[0] has rank 1, expected 2",
        ),
        (
            lambda: generate_input_specs([X], BATCHED, [torch.ones(2, 2)]),
            ValueError,
            "additional_inputs[0] has the shape (2, 2), expected one that differs from (4, 3) in "
            "the batch alone",
        ),
        (
            lambda: DYNAMIC._replace(shape=(-1, 5)).to_input(),
            ValueError,
            "shape is (-1, 5), but a range has the shape (1, 3)",
        ),
        (
            lambda: fx.compile(nn.ReLU(), [DYNAMIC._replace(shape=(-1,))]),
            ValueError,
            "shape is (-1,), but a range has the shape (1, 3)",
        ),
        (
            lambda: PassManager([three])(RELU),
            TypeError,
            "pass three returned an int, expected a torch.fx.GraphModule or None",
        ),
        (
            lambda: PassManager([three]).remove_pass("four"),
            ValueError,
            "there is no pass 'four', expected one of three",
        ),
        (
            lambda: PassManager([fold_conv_bn, three]).add_pass(three, before="four"),
            ValueError,
            "there is no pass 'four', expected one of fold_conv_bn, three",
        ),
        (
            lambda: PassManager([fuse_permute_linear, three], [never]),
            ValueError,
            "pass fuse_permute_linear stands before three, which a constraint forbids",
        ),
        (
            lambda: change_batch(RELU, [X], 0),
            ValueError,
            "batch is 0, expected at least 1",
        ),
        (
            lambda: change_batch(fx.trace(First(), [X]), [X], 2),
            ValueError,
            "the batch of 4 cannot become 2: result 0 has the shape (2, 3), was (3, 3)",
        ),
        (
            lambda: LowerPrecision.from_str("fp64"),
            ValueError,
            "precision is 'fp64', expected one of fp32, fp16, int8, bf16",
        ),
        (
            lambda: LowerPrecision.from_str(3),
            ValueError,
            "precision is 3, expected one of fp32, fp16, int8, bf16",
        ),
        (
            lambda: change_batch(fx.trace(Fourth(), [X]), [X], 2),
            ValueError,
            "the batch of 4 cannot become 2: index 3 is out of bounds for dimension 0 with size 2",
        ),
        (
            lambda: change_batch(RELU, [X, 5], 2),
            ValueError,
            "inputs[1] is 5, expected a tensor",
        ),
        (
            lambda: InputTensorSpec.from_tensors(5),
            ValueError,
            "tensors is 5, expected a sequence of tensors",
        ),
        (
            lambda: InputTensorSpec.from_tensors_with_dynamic_batch_size([X], (1, 2)),
            ValueError,
            "batch_size_range is (1, 2), expected 0 <= min <= opt <= max",
        ),
        (
            lambda: DYNAMIC._replace(shape_ranges=[((1, 3), (2, 3))]).to_input(),
            ValueError,
            "shape_ranges has ((1, 3), (2, 3)), expected the smallest, usual and largest shape",
        ),
        (
            lambda: TRTInterpreter(fx.trace(nn.Identity(), [X]), [X]).run(),
            NotImplementedError,
            "[partitioning] the graph has no op that an engine computes, expected at least one",
        ),
        (
            lambda: engine_of_two()(X),
            ValueError,
            "got 1 inputs, expected 2: x, y",
        ),
        (
            lambda: engine_of_two()(X, X, X),
            ValueError,
            "got 3 inputs, expected 2: x, y",
        ),
    ],
)
def test_the_whole_message(call: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as refused:
        call()
    assert str(refused.value) == message


@pytest.mark.parametrize(("module", "name"), [(Loop(), "x"), (nn.Sequential(Loop()), "input_1")])
def test_a_loop_over_data(module: nn.Module, name: str) -> None:
    with pytest.raises(NotImplementedError) as refused:
        fx.trace(module, [X])
    assert re.sub(r"\.py:\d+", ".py:N", str(refused.value)) == (
        f"[capture] test_fx_messages.py:N `for row in x:`: a loop over {name} has as many rounds "
        "as its data say; a symbolic trace cannot hold that; trace aten operators (aten=True, "
        "is_aten=True; torch.cond keeps both branches of an if), make the module a leaf, or use "
        "ir='dynamo'"
    )
