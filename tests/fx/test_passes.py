"""Passes over symbolic graphs: what they change, what they leave, and that results stay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from fx.models import FP32, compiled, engines, replaced, resnet18, seeded, targets
from torch import nn
from torch.fx.passes.infra.pass_base import PassResult
from torch.nn import functional as F
from torch_tensorrt import fx
from torch_tensorrt.fx.passes import (
    PassManager,
    common_subexpression_elimination,
    fold_conv_bn,
    fuse_permute_linear,
    fuse_permute_matmul,
)
from torch_tensorrt.fx.passes.lower_basic_pass import transposed_linear, transposed_matmul

Pass = Callable[[torch.fx.GraphModule], torch.fx.GraphModule]


def traced(function: Callable[..., Any], count: int) -> torch.fx.GraphModule:
    """The trace of a function of `count` tensors."""
    names = ["a", "b", "c"][:count]

    class Named(nn.Module):
        pass

    scope: dict[str, Any] = {"function": function}
    exec(f"def forward(self, {', '.join(names)}): return function({', '.join(names)})", scope)
    Named.forward = scope["forward"]  # type: ignore[method-assign]
    return fx.trace(Named(), [torch.ones(1)] * count)


def after(function: Pass, module: torch.fx.GraphModule, *inputs: torch.Tensor) -> list[str]:
    """What the graph calls after a pass that leaves its results as they were."""
    expected = module(*inputs)
    changed = function(module)
    torch.testing.assert_close(changed(*inputs), expected, rtol=1e-5, atol=1e-5)
    return targets(changed.graph)


# fuse_permute_linear


class Projection(nn.Module):
    def __init__(self, bias: bool = True) -> None:
        super().__init__()
        self.linear = nn.Linear(5, 3, bias=bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.linear(x.permute(0, 2, 1)))


@pytest.mark.parametrize("bias", [True, False])
def test_permute_and_linear_become_one(bias: bool) -> None:
    module, x = Projection(bias).eval(), torch.randn(2, 5, 4)
    called = after(fuse_permute_linear, fx.trace(module, [x]), x)
    assert called == ["transposed_linear", "relu"]
    fast = compiled(module, [x])
    assert engines(fast) == 1
    torch.testing.assert_close(fast(x), module(x), rtol=1e-4, atol=1e-5)


def test_a_linear_function_with_a_transpose_by_function() -> None:
    weight, x = torch.randn(3, 5), torch.randn(2, 5, 4)
    graph = traced(lambda a, b: F.linear(torch.transpose(a, -1, -2), b), 2)
    assert after(fuse_permute_linear, graph, x, weight) == ["transposed_linear"]


def test_another_permutation_stays() -> None:
    graph = traced(lambda a, b: F.linear(a.permute(1, 0, 2), b), 2)
    called = after(fuse_permute_linear, graph, torch.randn(2, 4, 5), torch.randn(3, 5))
    assert called == ["permute", "linear"]


def test_a_permutation_that_others_read_too_stays_for_them() -> None:
    graph = traced(lambda a, b: (F.linear(a.permute(0, 2, 1), b), a.permute(0, 2, 1) + 1), 2)
    common_subexpression_elimination(graph)
    called = after(fuse_permute_linear, graph, torch.randn(2, 5, 4), torch.randn(3, 5))
    assert called == ["permute", "transposed_linear", "add"]


# fuse_permute_matmul


@pytest.mark.parametrize(
    ("function", "shapes", "expected"),
    [
        (lambda a, b: a.permute(0, 2, 1) @ b, ((2, 4, 3), (2, 4, 5)), (True, False)),
        (lambda a, b: torch.bmm(a, b.transpose(-2, -1)), ((2, 3, 4), (2, 5, 4)), (False, True)),
        (
            lambda a, b: torch.matmul(torch.permute(a, (1, 0)), b.swapaxes(-1, -2)),
            ((4, 3), (5, 4)),
            (True, True),
        ),
        (lambda a, b: a.matmul(b.permute([0, 2, 1])), ((2, 3, 4), (2, 5, 4)), (False, True)),
    ],
)
def test_permute_and_matmul_become_one(
    function: Callable[..., Any],
    shapes: tuple[tuple[int, ...], ...],
    expected: tuple[bool, bool],
) -> None:
    graph = traced(function, 2)
    inputs = [torch.randn(shape) for shape in shapes]
    assert after(fuse_permute_matmul, graph, *inputs) == ["transposed_matmul"]
    (node,) = graph.graph.find_nodes(op="call_function", target=transposed_matmul)
    assert node.args[2:] == expected


@pytest.mark.parametrize(
    ("function", "shapes"),
    [
        (lambda a, b: a @ b, ((2, 3), (3, 4))),
        (lambda a, b: a.transpose(1, 2) @ b, ((2, 4, 3, 5), (2, 3, 5, 6))),
        (lambda a, b: a.permute(1, 0, 2) @ b, ((2, 4, 3), (4, 3, 5))),
    ],
)
def test_what_may_be_no_transposition_stays(
    function: Callable[..., Any], shapes: tuple[tuple[int, ...], ...]
) -> None:
    """transpose(1, 2) are the last axes of a rank that a symbolic trace does not know."""
    graph = traced(function, 2)
    before = targets(graph.graph)
    inputs = [torch.randn(shape) for shape in shapes]
    assert after(fuse_permute_matmul, graph, *inputs) == before


def test_the_rank_that_an_aten_trace_knows_decides() -> None:
    known = traced(lambda a, b: a.transpose(1, 2) @ b, 2)
    known.graph.find_nodes(op="placeholder")[0].meta["val"] = torch.empty(2, 4, 3, device="meta")
    inputs = (torch.randn(2, 4, 3), torch.randn(2, 4, 5))
    assert after(fuse_permute_matmul, known, *inputs) == ["transposed_matmul"]


def test_fused_functions() -> None:
    x, w, b = torch.randn(2, 5, 4), torch.randn(3, 5), torch.randn(3)
    torch.testing.assert_close(transposed_linear(x, w, b), F.linear(x.mT, w, b))
    torch.testing.assert_close(transposed_linear(x, w, None), F.linear(x.mT, w))


# fold_conv_bn


@pytest.mark.parametrize(
    ("conv", "norm", "shape"),
    [
        (nn.Conv1d(3, 4, 3), nn.BatchNorm1d(4), (2, 3, 8)),
        (nn.Conv2d(4, 4, 3, groups=2, bias=False), nn.BatchNorm2d(4), (2, 4, 8, 8)),
        (nn.Conv3d(3, 4, 1), nn.BatchNorm3d(4), (1, 3, 2, 2, 2)),
        (nn.ConvTranspose2d(3, 4, 3), nn.BatchNorm2d(4, affine=False), (2, 3, 4, 4)),
    ],
)
def test_batch_norm_becomes_part_of_the_convolution(
    conv: nn.Module, norm: Any, shape: tuple[int, ...]
) -> None:
    torch.manual_seed(0)
    norm.running_mean.uniform_(-1, 1)
    norm.running_var.uniform_(0.5, 2)
    x = torch.randn(shape)
    module = nn.Sequential(conv, norm, nn.ReLU()).eval()
    weight = conv.weight.clone()
    assert after(fold_conv_bn, fx.trace(module, [x]), x) == ["0", "2"]
    assert torch.equal(conv.weight, weight), "the model itself was changed"


def test_all_of_a_resnet() -> None:
    model, x = resnet18(), torch.randn(1, 3, 32, 32)
    called = after(fold_conv_bn, fx.trace(model, [x]), x)
    assert not any("bn" in name or "downsample.1" in name for name in called)


def test_training_and_shared_convolutions_stay() -> None:
    x = torch.randn(2, 3, 4, 4)
    training = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4))
    assert targets(fold_conv_bn(fx.trace(training, [x])).graph) == ["0", "1"]
    conv = nn.Conv2d(3, 3, 1)
    shared = nn.Sequential(conv, nn.BatchNorm2d(3), conv).eval()
    assert after(fold_conv_bn, fx.trace(shared, [x]), x) == ["0", "1", "0"]


def test_a_convolution_with_two_readers_stays() -> None:
    class Both(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm = nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = self.conv(x)
            return self.norm(y) + y

    x = torch.randn(2, 3, 4, 4)
    assert after(fold_conv_bn, fx.trace(Both().eval(), [x]), x) == ["conv", "norm", "add"]


# common_subexpression_elimination


@pytest.mark.parametrize(
    ("function", "left"),
    [
        (lambda a: torch.relu(a) + torch.relu(a), ["relu", "add"]),
        (lambda a: a.view(-1).exp() * a.view(-1).exp(), ["view", "exp", "mul"]),
        (lambda a: a.sum(dim=0) + a.sum(dim=1), ["sum", "sum", "add"]),
        (lambda a: (a * 1) + (a * 1.0), ["mul", "mul", "add"]),
        (lambda a: a[0, 1:] + a[0, 1:], ["getitem", "add"]),
        (lambda a: a[0, 1:] + a[0, :1], ["getitem", "getitem", "add"]),
    ],
)
def test_the_same_calls_become_one(function: Callable[..., Any], left: list[str]) -> None:
    graph = traced(function, 1)
    assert after(common_subexpression_elimination, graph, torch.randn(2, 2)) == left


@pytest.mark.parametrize(
    "function",
    [
        lambda a: F.dropout(a, 0.5, True) + F.dropout(a, 0.5, True),
        lambda a: torch.rand_like(a) + torch.rand_like(a),
        lambda a: a.new_empty(2).fill_(1) + a.new_empty(2).fill_(2),
    ],
)
def test_random_and_new_memory_stay(function: Callable[..., Any]) -> None:
    graph = traced(function, 1)
    before = targets(graph.graph)
    assert targets(common_subexpression_elimination(graph).graph) == before


@pytest.mark.parametrize(
    "function",
    [
        lambda a: torch.exp(a).add_(1) + torch.exp(a),
        lambda a: torch.exp(a).view(-1).add_(1).view(2, 2) + torch.exp(a),
        lambda a: torch.exp(a) + torch.exp(a.mul_(2)),
        lambda a: F.relu(torch.exp(a), inplace=True) * torch.exp(a),
        lambda a: torch.exp(a) + torch.exp(torch.neg(a, out=a)),
    ],
)
def test_what_is_written_is_not_merged(function: Callable[..., Any]) -> None:
    graph = traced(function, 1)
    x = torch.randn(2, 2)
    expected = graph(x.clone())
    torch.testing.assert_close(common_subexpression_elimination(graph)(x.clone()), expected)
    assert targets(graph.graph).count("exp") == 2


def test_modules_are_merged_in_eval_mode_alone() -> None:
    class Twice(nn.Module):
        def __init__(self, layer: nn.Module) -> None:
            super().__init__()
            self.layer = layer

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.layer(x) + self.layer(x)

    x = torch.randn(2, 3)
    evaluated = fx.trace(Twice(nn.Linear(3, 3)).eval(), [x])
    assert after(common_subexpression_elimination, evaluated, x) == ["layer", "add"]
    training = fx.trace(Twice(nn.Dropout()).train(), [x])
    assert targets(common_subexpression_elimination(training).graph) == ["layer", "layer", "add"]


# PassManager


def test_passes_run_in_order() -> None:
    log: list[str] = []

    def first(module: torch.fx.GraphModule) -> None:
        log.append("first")

    def second(module: torch.fx.GraphModule) -> torch.fx.GraphModule:
        log.append("second")
        return module

    def third(module: torch.fx.GraphModule) -> PassResult:
        log.append("third")
        return PassResult(module, False)

    manager = PassManager.build_from_passlist([first, third])
    manager.add_pass(second, before="third")
    graph = traced(torch.relu, 1)
    assert manager(graph) is graph
    assert log == ["first", "second", "third"]
    manager.remove_pass("second")
    assert manager.passes == [first, third]
    with pytest.raises(ValueError, match="no pass 'second', expected one of first, third"):
        manager.remove_pass("second")


def test_constraints_on_the_order() -> None:
    def folds_first(first: Pass, second: Pass) -> bool:
        return second is not fold_conv_bn

    manager = PassManager([fold_conv_bn, fuse_permute_linear], [folds_first])
    with pytest.raises(ValueError, match="pass fuse_permute_linear stands before fold_conv_bn"):
        PassManager([fuse_permute_linear, fold_conv_bn], [folds_first])
    with pytest.raises(ValueError, match="pass fold_conv_bn stands before fuse_permute_linear"):
        manager.add_constraint(lambda first, second: second is not fuse_permute_linear)


def test_a_pass_that_changes_results_is_found() -> None:
    graph = traced(lambda a: a + 1, 1)
    with pytest.raises(RuntimeError, match="pass replaced changes result 0 by up to 2"):
        PassManager([replaced]).run_checked(graph, [torch.zeros(2)], atol=1e-3, rtol=1e-3)


def test_a_pass_that_changes_a_shape_or_the_structure_is_found() -> None:
    def shorter(module: torch.fx.GraphModule) -> None:
        (node,) = module.graph.find_nodes(op="call_method", target="sum")
        node.kwargs = {"keepdim": False}
        module.recompile()

    def doubled(module: torch.fx.GraphModule) -> None:
        (output,) = module.graph.find_nodes(op="output")
        output.args = ((output.args[0],) * 2,)
        module.recompile()

    for function, message in (
        (shorter, "float32 \\(2,\\), was .* \\(2, 1\\)"),
        (doubled, "returns"),
    ):
        graph = traced(lambda a: a.sum(1, keepdim=True), 1)
        with pytest.raises(RuntimeError, match=f"pass {function.__name__} changes .*{message}"):
            PassManager([function]).run_checked(graph, [torch.zeros(2, 2)], 1e-3, 1e-3)


def test_a_pass_that_returns_something_else() -> None:
    def broken(module: torch.fx.GraphModule) -> int:
        return 3

    with pytest.raises(
        TypeError, match=r"pass broken returned an int, expected a torch\.fx\.Graph"
    ):
        PassManager([broken])(traced(torch.relu, 1))


def test_all_passes_and_an_engine() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm, self.linear = (
                nn.Conv1d(4, 5, 3, padding=1),
                nn.BatchNorm1d(5),
                nn.Linear(5, 6),
            )

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = torch.relu(self.norm(self.conv(x)))
            z = self.linear(y.permute(0, 2, 1)) + self.linear(y.permute(0, 2, 1))
            return z.transpose(-1, -2) @ z

    model, x = seeded(Net), torch.randn(2, 4, 7)
    every = PassManager(
        [fold_conv_bn, common_subexpression_elimination, fuse_permute_linear, fuse_permute_matmul]
    )
    assert after(every, fx.trace(model, [x]), x) == [
        "conv",
        "relu",
        "transposed_linear",
        "add",
        "transposed_matmul",
    ]
    setting = fx.LowerSetting(
        min_acc_module_size=1,
        lower_precision=FP32,
        customized_fuse_pass=every,
        correctness_atol=1e-4,
        correctness_rtol=1e-4,
    )
    fast = fx.Lowerer.create(setting)(model, [x])
    assert engines(fast) == 1
    other = torch.randn(5, 4, 7)
    torch.testing.assert_close(fast(other), model(other), rtol=1e-4, atol=1e-4)
