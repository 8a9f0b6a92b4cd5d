"""The first stage: symbolic traces and traces of aten operators."""

from __future__ import annotations

import pytest
import torch
from fx.models import MLP, Gate, Gated, Transformer, resnet18, seeded, targets
from torch import nn
from torch_tensorrt import Input, fx
from torch_tensorrt.fx._inputs import to_inputs
from torch_tensorrt.fx._lowering import lower, source_of
from torch_tensorrt.fx.tracer.acc_tracer import acc_tracer
from torch_tensorrt.fx.tracer.dispatch_tracer import aten_tracer


@pytest.mark.parametrize("aten", [False, True])
@pytest.mark.parametrize("kind", [MLP, Transformer])
def test_a_trace_computes_what_the_module_does(kind: type[nn.Module], aten: bool) -> None:
    module = seeded(kind)
    x = torch.randint(0, 11, (2, 6)) if kind is Transformer else torch.randn(2, 8)
    torch.testing.assert_close(fx.trace(module, [x], aten=aten)(x), module(x))


def test_symbolic_nodes_are_modules_and_functions() -> None:
    traced = fx.trace(seeded(MLP), [torch.randn(2, 8)])
    assert targets(traced.graph) == [*(f"layers.{i}" for i in range(5)), "softmax"]


def test_parameters_are_shared() -> None:
    module = seeded(MLP)
    traced = fx.trace(module, [torch.randn(2, 8)])
    assert traced.layers.get_submodule("0").weight is module.layers[0].weight


def test_aten_nodes_are_operators_that_converters_know() -> None:
    traced = fx.trace(resnet18(), [torch.randn(1, 3, 32, 32)], aten=True)
    assert {t for t in targets(traced.graph) if t != "getitem"} == {
        "aten.conv2d.default",
        "aten.batch_norm.default",
        "aten.relu.default",
        "aten.max_pool2d.default",
        "aten.add.Tensor",
        "aten.adaptive_avg_pool2d.default",
        "aten.flatten.using_ints",
        "aten.linear.default",
    }


def test_ranges_become_symbols() -> None:
    spec = fx.InputTensorSpec((-1, 8), torch.float32, shape_ranges=[((1, 8), (4, 8), (9, 8))])
    traced = fx.trace(seeded(MLP), [spec], aten=True)
    (x,) = traced.graph.find_nodes(op="placeholder")
    assert isinstance(x.meta["val"].shape[0], torch.SymInt)
    assert traced(torch.ones(7, 8)).shape == (7, 3)


def test_a_batch_of_one_can_be_dynamic() -> None:
    spec = Input(min_shape=(1, 8), opt_shape=(1, 8), max_shape=(4, 8))
    traced = fx.trace(seeded(MLP), [spec], aten=True)
    assert [traced(torch.ones(n, 8)).shape[0] for n in (1, 3)] == [1, 3]


def test_leaf_modules_are_one_node() -> None:
    traced = fx.trace(seeded(Gated), [torch.randn(2, 4)], leaf_modules={Gate})
    assert targets(traced.graph) == ["first", "gate", "second", "relu", "sub", "last"]


def test_arguments_left_out_keep_their_defaults() -> None:
    class Masked(nn.Module):
        def forward(self, x, mask=None, *, scale: float = 2.0):
            x = x * scale
            return x if mask is None else x * mask

    x = torch.randn(3)
    traced = fx.trace(Masked(), [x])
    assert len(traced.graph.find_nodes(op="placeholder")) == 1
    torch.testing.assert_close(traced(x), x * 2)
    both = fx.trace(Masked(), [x, x])
    torch.testing.assert_close(both(x, x), x * 2 * x)
    three = fx.trace(Masked(), [x], concrete_args={"scale": 3.0})
    torch.testing.assert_close(three(x), x * 3)


def test_nested_arguments() -> None:
    class Pair(nn.Module):
        def forward(self, pair, named):
            return pair[0] @ pair[1] + named["bias"]

    inputs = [(torch.randn(2, 3), torch.randn(3, 4)), {"bias": torch.randn(4)}]
    for aten in (False, True):
        traced = fx.trace(Pair(), inputs, aten=aten)
        torch.testing.assert_close(traced(*inputs), Pair()(*inputs))


@pytest.mark.parametrize("wrap", [False, True])
def test_control_flow_on_data_is_refused_with_its_line(wrap: bool) -> None:
    module = nn.Sequential(Gate()) if wrap else Gate()
    with pytest.raises(
        NotImplementedError,
        match=r"models\.py:\d+ `if x\.sum\(\) > 0:`: control flow depends on the data of gt",
    ):
        fx.trace(module, [torch.randn(2)])


def test_a_loop_over_data_is_refused_with_its_line() -> None:
    class Loop(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            total = torch.zeros(())
            for row in x:
                total = total + row.sum()
            return total

    with pytest.raises(
        NotImplementedError, match=r"test_trace\.py:\d+ `for row in x:`: a loop over"
    ):
        fx.trace(Loop(), [torch.randn(2, 2)])


def test_a_number_from_data_is_refused_with_its_line() -> None:
    class Range(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * len(range(x.shape[0]))

    with pytest.raises(NotImplementedError, match=r"test_trace\.py:\d+ .*Proxy"):
        fx.trace(Range(), [torch.randn(2, 2)])


def test_an_error_of_the_model_stays_what_it_is() -> None:
    class Broken(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            raise ValueError("no such mode")

    with pytest.raises(ValueError, match="no such mode"):
        fx.trace(Broken(), [torch.randn(2)])


def test_what_export_refuses_is_named() -> None:
    with pytest.raises(NotImplementedError, match=r"torch\.export cannot capture Gate: .*data"):
        fx.trace(Gate(), [torch.randn(2)], aten=True)


def test_a_dimension_that_the_model_fixes() -> None:
    class Fixed(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + torch.ones(2, 3)

    spec = Input(min_shape=(2, 3), opt_shape=(2, 3), max_shape=(4, 3), name="x")
    with pytest.raises(
        ValueError, match=r"input x: dimension 0 is asked to be 2\.\.4, but .* to 2"
    ):
        fx.trace(Fixed(), [spec], aten=True)


def test_options_of_symbolic_traces_are_refused_for_aten() -> None:
    with pytest.raises(ValueError, match="only a symbolic trace has them"):
        fx.trace(MLP(), [torch.randn(2, 8)], aten=True, leaf_modules={Gate})


def test_a_lowered_graph_knows_where_its_nodes_come_from() -> None:
    module = seeded(Transformer)
    x = torch.randint(0, 11, (2, 6))
    traced = fx.trace(module, [x])
    lowered = lower(traced, to_inputs([x]))
    torch.testing.assert_close(lowered.module(x), module(x))
    names = {node.name for node in traced.graph.nodes}
    nodes = [n for n in lowered.module.graph.nodes if n.op == "call_function"]
    assert all(source_of(node) in names for node in nodes)
    attention = next(n for n in nodes if "scaled_dot_product" in str(n.target))
    assert "models.py" in attention.stack_trace
    assert list(attention.meta["nn_module_stack"])[-1] == "blocks.0"


def test_a_graph_that_was_lowered_can_be_lowered_again() -> None:
    spec = fx.InputTensorSpec((-1, 6), torch.int64, shape_ranges=[((1, 6), (2, 6), (8, 6))])
    module = seeded(Transformer)
    once = fx.trace(module, [spec], aten=True)
    again = lower(once, to_inputs([spec])).module
    x = torch.randint(0, 11, (5, 6))
    torch.testing.assert_close(again(x), module(x))


def test_tracers_under_their_other_names() -> None:
    x = torch.randn(2, 4)
    module = seeded(Gated)
    traced = acc_tracer.trace(module, [x], leaf_module_list={Gate})
    torch.testing.assert_close(traced(x), module(x))
    torch.testing.assert_close(aten_tracer.opt_trace(nn.ReLU(), [x])(x), torch.relu(x))


def test_sizes_of_parameters_and_buffers_are_constants() -> None:
    class Table(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.randn(3, 2))
            self.register_buffer("mask", torch.ones(3, 2))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if self.weight.size(0) > 2 and self.mask.shape == self.weight.shape:
                x = x + self.weight * self.mask
            for index in range(len(self.mask)):
                x = x * self.mask.numel() + index * self.mask.dim()
            return x.to(self.mask.dtype)

    module, x = Table(), torch.randn(3, 2)
    traced = fx.trace(module, [x])
    assert targets(traced.graph) == ["mul", "add", *["mul", "add"] * 3, "to"]
    torch.testing.assert_close(traced(x), module(x))


def test_writes_are_nodes_and_do_not_happen_while_tracing() -> None:
    class Writes(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("seen", torch.zeros(()))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.seen.add_(1)
            y = x.clone()
            y[0] = self.seen
            return y

    module, x = Writes(), torch.randn(3)
    traced = fx.trace(module, [x])
    assert module.seen == 0
    assert targets(traced.graph) == ["add_", "clone", "setitem"]
    assert [traced(x)[0].item() for _ in range(2)] == [1, 2]
