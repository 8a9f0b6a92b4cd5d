"""Writes in place, from torch.export's graph: right, and without tracing twice where nobody else
sees the memory."""

import random
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
import torch_tensorrt
from e2e.checks import assert_close
from torch import Tensor, nn
from torch_tensorrt._program.functional import functional

Function = Callable[[Tensor], Any]


class Wrapped(nn.Module):
    def __init__(self, function: Function) -> None:
        super().__init__()
        self.function = function
        self.conv = nn.Conv2d(3, 4, 3)
        self.bn = nn.BatchNorm2d(4)

    def forward(self, x: Tensor) -> Any:
        return self.function(x)


def chain(x: Tensor) -> Tensor:
    y = x.sin().add_(1).relu_()
    return y.mul_(y) + y


def of_part(x: Tensor) -> tuple[Tensor, Tensor]:
    y = x * 2
    y[:, 1:, ::2] = 0.5
    y[0, 0].add_(x[0, 1])
    return y, y.sum()


def counted(x: Tensor) -> Tensor:
    mask = torch.zeros(4, 4)
    for index in range(2):
        mask[index : index + 2] = index + 1
    return x[0, 0, :4, :4] + mask


def added_to_part(x: Tensor) -> Tensor:
    y = x.sin()
    y[0].zero_()
    y[:, 1:, 2:] += x[:, :1, 2:]
    y[:] += 1
    return y


def copied_from(x: Tensor) -> tuple[Tensor, Tensor]:
    y, z = x.sin(), x.cos()
    y.copy_(z)
    z.neg_()
    return y, z


def copied_to(x: Tensor) -> tuple[Tensor, Tensor]:
    y, z = x.sin(), x.cos()
    y.copy_(z)
    y.neg_()
    return y, z


def identity_dropout(x: Tensor) -> Tensor:
    return F.dropout(x * 2, 0.5, training=False, inplace=True).relu()


def used_before(x: Tensor) -> tuple[Tensor, Tensor]:
    y = x.sin()
    z = y.exp()
    return y.neg_(), z


def view_before(x: Tensor) -> tuple[Tensor, Tensor]:
    y = x.sin()
    z = y.transpose(0, 1)
    y.neg_()
    return z * 2, y


def view_written(x: Tensor) -> Tensor:
    y = x.sin()
    y.flatten().neg_()
    return y


def returned_input(x: Tensor) -> tuple[Tensor, Tensor]:
    y = x.sin()
    z = F.dropout(y, 0.5, training=False)
    y.neg_()
    return y, z


def part_of_a_view(x: Tensor) -> tuple[Tensor, Tensor]:
    y = x.sin()
    part = y[:, 1:]
    part[:, :, 0] = 3.0
    return part.exp(), y


def promoted(x: Tensor) -> Tensor:
    y = torch.ones(4, dtype=torch.int64)
    y += torch.arange(4, dtype=torch.int32)
    return x[0, 0, 0, :4] + y


def input_written(x: Tensor) -> Tensor:
    x.add_(1)
    return x * 2


ONCE = (
    *(chain, of_part, counted, added_to_part, copied_from, copied_to),
    *(identity_dropout, returned_input, used_before),
)
TWICE = (view_before, view_written, part_of_a_view, promoted, input_written)


@pytest.mark.parametrize("function", [*ONCE, *TWICE])
def test_writes_are_right(function: Function) -> None:
    x = torch.rand(2, 3, 6, 6)
    program = torch_tensorrt.dynamo.trace(Wrapped(function).eval(), inputs=[x])
    lowered, module = functional(program)
    assert (lowered is program) == (function in ONCE)
    written = [n for n in module.graph.nodes if str(n.target).endswith("_.default")]
    assert not written or function is input_written
    fast = torch_tensorrt.dynamo.compile(program, inputs=[x], min_block_size=1)
    ours, theirs = x.clone(), x.clone()
    assert_close(fast(ours), function(theirs))
    assert torch.equal(ours, theirs)


def test_statistics_that_an_op_writes_are_kept() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).train()
    x = torch.rand(2, 3, 6, 6)
    program = torch.export.export(module, (x,))
    lowered, _ = functional(program)
    assert lowered is not program


VIEWS: list[Function] = [
    lambda v: v[1:],
    lambda v: v[:, 1:, ::2],
    lambda v: v[0],
    lambda v: v.transpose(0, 1),
    lambda v: v.reshape(v.shape),
    lambda v: v[:],
    lambda v: F.dropout(v, 0.5, training=False),
]
NEW: list[Function] = [torch.sin, lambda v: v + 1, torch.clone, lambda v: torch.cat([v, v])]
WRITES: list[Function] = [
    lambda v: v.neg_(),
    lambda v: v.add_(0.5),
    lambda v: v.zero_(),
    lambda v: v.mul_(2).relu_(),
    lambda v: F.dropout(v, 0.5, training=False, inplace=True),
]


def scribble(seed: int) -> Function:
    """A random program of new values, views, and writes to any of them."""

    def program(x: Tensor) -> tuple[Tensor, ...]:
        chance = random.Random(seed)
        values = [x.cos()]
        for _ in range(10):
            value = chance.choice(values)
            kind = chance.random()
            if kind < 0.3 and value.dim() == 3:
                values.append(chance.choice(VIEWS)(value))
            elif kind < 0.5:
                values.append(chance.choice(NEW)(value))
            elif kind < 0.75:
                values.append(chance.choice(WRITES)(value))
            else:
                alike = [v for v in values if v.shape == value.shape]
                value.copy_(chance.choice(alike).clone())
        return tuple(value.clone() for value in values)

    return program


@pytest.mark.parametrize("seed", range(30))
def test_random_writes_are_right(seed: int) -> None:
    x = torch.rand(3, 4, 5)
    program = torch_tensorrt.dynamo.trace(Wrapped(scribble(seed)).eval(), inputs=[x])
    _, module = functional(program)
    torch.testing.assert_close(module(x), scribble(seed)(x), rtol=0, atol=1e-6)
