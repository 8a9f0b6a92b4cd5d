"""Sizes that follow from an argument's number, or from a loop's: examples, never constants."""

from collections.abc import Callable

import pytest
import torch
import torch_tensorrt
from e2e.checks import assert_close
from torch import nn

X = torch.linspace(-1, 2, 4 * 6).reshape(4, 6)
EXAMPLE = 2


class Head(nn.Module):
    def forward(self, x: torch.Tensor, n: int) -> torch.Tensor:
        return torch.relu(x[:n]) * 2


class Middle(nn.Module):
    def forward(self, x: torch.Tensor, n: int) -> torch.Tensor:
        return torch.tanh(x.narrow(1, n, 2)).sum(1)


class Copies(nn.Module):
    def forward(self, x: torch.Tensor, n: int) -> torch.Tensor:
        return torch.sigmoid(x.unsqueeze(0).expand(n, 4, 6)).flatten(0, 1) + 1


class Fresh(nn.Module):
    def forward(self, x: torch.Tensor, n: int) -> torch.Tensor:
        return x.mean() + torch.zeros([n, 3]).exp() * x.max()


class Rows(nn.Module):
    """The loop's own counter."""

    def forward(self, x: torch.Tensor, n: int) -> torch.Tensor:
        total = x.sum()
        for i in range(n):
            total = total + torch.tanh(x[i] * 2).sum()
        return total


class Prefixes(nn.Module):
    """A size that grows from trip to trip."""

    def forward(self, x: torch.Tensor, n: int) -> torch.Tensor:
        total = torch.zeros(6)
        for i in range(n):
            total = total + torch.relu(x[: i + 1] * 2).sum(0)
        return total


@pytest.mark.parametrize("engine", ["openvino", "reference"])
@pytest.mark.parametrize("network", [Head, Middle, Copies, Fresh, Rows, Prefixes])
def test_other_numbers_than_the_example(network: type[nn.Module], engine: str) -> None:
    module = torch.jit.script(network().eval())
    fast = torch_tensorrt.compile(
        module, ir="ts", inputs=(X, EXAMPLE), engine=engine, min_block_size=1
    )
    for n in (EXAMPLE, 1, 3, 4):
        assert_close(fast(X, n), module(X, n))


ARITHMETIC: dict[str, Callable[[int], int | float]] = {
    "and": lambda n: n & 3,
    "or": lambda n: n | 2,
    "shifts": lambda n: (n << 3) + (n >> 1),
    "max": lambda n: max(3.5, n),
    "min": lambda n: min(n, 4),
    "sum": lambda n: torch.sym_sum([n, 3, n]),
    "remainder": lambda n: n % 3,
    "power": lambda n: n**2,
}


@pytest.mark.parametrize("what", ARITHMETIC)
def test_arithmetic_on_a_size(what: str) -> None:
    class Scaled(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.relu() * ARITHMETIC[what](x.shape[0])

    sizes = torch_tensorrt.Input(min_shape=(1, 6), opt_shape=(4, 6), max_shape=(8, 6))
    fast = torch_tensorrt.compile(
        Scaled(), ir="dynamo", inputs=[sizes], engine="openvino", min_block_size=1
    )
    for size in range(1, 9):
        x = torch.randn(size, 6)
        assert_close(fast(x), Scaled()(x))
