"""The batch of a traced graph: changed to another, or made dynamic."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from fx.models import Transformer, compiled, engines, seeded
from torch import nn
from torch_tensorrt import fx
from torch_tensorrt.fx.tools.batch_revision import change_batch, make_batch_dynamic

BATCHES = (1, 2, 3, 5, 8)


class Constant(nn.Module):
    """Everything that may hold a batch, written for one batch."""

    def __init__(self, batch: int) -> None:
        super().__init__()
        self.batch = batch
        self.qkv, self.out = nn.Linear(8, 24), nn.Linear(8, 4)
        self.token = nn.Parameter(torch.rand(1, 1, 8))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        b, tokens = self.batch, 5
        x = torch.cat([self.token.expand(b, -1, -1), x], 1)
        qkv = self.qkv(x).view(b, tokens, 3, 2, 4).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.reshape(3, b * 2, tokens, 4).unbind(0)
        mixed = torch.softmax(q @ k.transpose(1, 2), -1) @ v
        mixed = mixed.reshape(b, 2, tokens, 4).transpose(1, 2).reshape(b * tokens, 8)
        return self.out(mixed).reshape(b, tokens, 4)[:, 0] + torch.zeros(b, 1)


class Unbound(Constant):
    """The same without unpacking, which a symbolic trace cannot follow."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        b, tokens = self.batch, 5
        x = torch.cat([self.token.expand(b, -1, -1), x], 1)
        qkv = self.qkv(x).view(b, tokens, 3, 2, 4).permute(2, 0, 3, 1, 4)
        qkv = qkv.reshape(3, b * 2, tokens, 4)
        mixed = torch.softmax(qkv[0] @ qkv[1].transpose(1, 2), -1) @ qkv[2]
        mixed = mixed.reshape(b, 2, tokens, 4).transpose(1, 2).reshape(b * tokens, 8)
        return self.out(mixed).reshape(b, tokens, 4)[:, 0] + torch.zeros(b, 1)


def at(model: Constant, batch: int, x: torch.Tensor) -> torch.Tensor:
    """What the model gives for another batch."""
    before, model.batch = model.batch, batch
    result: torch.Tensor = model(x)
    model.batch = before
    return result


@pytest.mark.parametrize("aten", [False, True], ids=["symbolic", "aten"])
@pytest.mark.parametrize("batch", [1, 2, 3, 4, 8])
def test_another_batch_and_any_batch(batch: int, aten: bool) -> None:
    torch.manual_seed(0)
    model = Unbound(batch).eval() if not aten else Constant(batch).eval()
    x = torch.randn(batch, 4, 8)
    traced = fx.trace(model, [x], aten=aten)
    code = traced.code
    dynamic = make_batch_dynamic(traced, [x])
    for other in BATCHES:
        y = torch.randn(other, 4, 8)
        expected = at(model, other, y)
        torch.testing.assert_close(change_batch(traced, [x], other)(y), expected)
        torch.testing.assert_close(dynamic(y), expected)
    assert traced.code == code


@pytest.mark.parametrize("aten", [False, True], ids=["symbolic", "aten"])
def test_a_dynamic_graph_compiles_for_all_batches(aten: bool) -> None:
    torch.manual_seed(0)
    model = Unbound(2).eval()
    x = torch.randn(2, 4, 8)
    dynamic = make_batch_dynamic(fx.trace(model, [x], aten=aten), [x])
    fast = compiled(dynamic, [x], is_aten=aten)
    assert engines(fast) == 1
    for batch in BATCHES:
        y = torch.randn(batch, 4, 8)
        torch.testing.assert_close(fast(y), at(model, batch, y), rtol=1e-4, atol=1e-5)


def test_a_graph_that_reads_its_sizes_needs_nothing() -> None:
    model, ids = seeded(Transformer), torch.randint(0, 11, (2, 6))
    dynamic = make_batch_dynamic(fx.trace(model, [ids]), [ids])
    more = torch.randint(0, 11, (7, 6))
    torch.testing.assert_close(dynamic(more), model(more))


@pytest.mark.parametrize(
    ("function", "other"),
    [
        (lambda x: x.view(4, 4), lambda x: x.view(len(x), 4)),
        (lambda x: x.view(-1, 4), lambda x: x.view(-1, 4)),
        (lambda x: x.t().reshape(16).view(4, 4), lambda x: x.t().reshape(-1).view(4, len(x))),
        (lambda x: x + x.new_zeros(4, 4), lambda x: x + 0),
        (lambda x: x + torch.ones(4, 1), lambda x: x + 1),
        (lambda x: x.unsqueeze(0) + torch.ones(1, 4, 4), lambda x: x.unsqueeze(0) + 1),
        (lambda x: x.unflatten(0, (4, 1)).flatten(0, 1), lambda x: x),
    ],
)
def test_sizes_that_are_equal_to_others(
    function: Callable[[torch.Tensor], torch.Tensor],
    other: Callable[[torch.Tensor], torch.Tensor],
) -> None:
    """A batch of 4 with 4 features: which 4 is the batch is found by trying."""

    class Call(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return function(x)

    x = torch.randn(4, 4)
    traced = fx.trace(Call(), [x])
    dynamic = make_batch_dynamic(traced, [x])
    for batch in BATCHES:
        y = torch.randn(batch, 4)
        torch.testing.assert_close(dynamic(y), other(y))


def test_two_inputs_and_one_without_a_batch() -> None:
    class Three(nn.Module):
        def forward(self, a, b, table):
            return (a * b).view(2, -1) @ table

    inputs = [torch.randn(2, 3, 2), torch.randn(2, 3, 2), torch.randn(6, 5)]
    changed = change_batch(fx.trace(Three(), inputs), inputs, 4)
    a, b = torch.randn(4, 3, 2), torch.randn(4, 3, 2)
    torch.testing.assert_close(changed(a, b, inputs[2]), (a * b).view(4, -1) @ inputs[2])


def test_a_result_that_has_no_batch_is_left_alone() -> None:
    class Mean(nn.Module):
        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return x.view(3, -1), x.mean()

    x = torch.randn(3, 2, 2)
    flat, mean = make_batch_dynamic(fx.trace(Mean(), [x]), [x])(torch.ones(5, 2, 2))
    assert flat.shape == (5, 4)
    assert mean == 1


def test_a_model_that_mixes_its_batch() -> None:
    class Mixed(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.view(2, -1).cumsum(0)

    x = torch.randn(2, 3)
    with pytest.raises(ValueError, match="result 0 is not that of the single elements"):
        change_batch(fx.trace(Mixed(), [x]), [x], 4)


@pytest.mark.parametrize("aten", [False, True])
def test_elements_that_know_their_place_in_the_batch(aten: bool) -> None:
    class Ranked(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + torch.arange(4).view(4, 1)

    x = torch.randn(4, 4)
    with pytest.raises(ValueError, match="the batch of 4 cannot be changed: "):
        make_batch_dynamic(fx.trace(Ranked(), [x], aten=aten), [x])


def test_a_constant_of_the_model() -> None:
    class Table(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Parameter(torch.randn(2, 3))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + self.table

    x = torch.randn(2, 3)
    with pytest.raises(ValueError, match=r"the batch of 2 cannot be changed: add: .* must match"):
        make_batch_dynamic(fx.trace(Table(), [x]), [x])


def test_batches_that_are_none() -> None:
    traced = fx.trace(nn.ReLU(), [torch.ones(2)])
    with pytest.raises(ValueError, match="batch is 0, expected at least 1"):
        change_batch(traced, [torch.ones(2)], 0)
    with pytest.raises(ValueError, match="no input has a dimension"):
        change_batch(traced, [torch.ones(())], 2)
    with pytest.raises(ValueError, match="the batch of inputs is 0"):
        change_batch(traced, [torch.ones(0, 2)], 2)
