"""Ifs and loops: folded where they are constant, else in PyTorch with engines in their blocks."""

import torch
import torch_tensorrt
from e2e.checks import assert_close, assert_one_engine, engines
from torch import nn

X = torch.linspace(-1, 1, 2 * 6).reshape(2, 6)


def compiled(module: nn.Module, *inputs: torch.Tensor) -> torch.jit.ScriptModule:
    return torch_tensorrt.compile(
        torch.jit.script(module.eval()),
        ir="ts",
        inputs=list(inputs),
        engine="openvino",
        min_block_size=1,
    )


class Branch(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.up = nn.Linear(6, 6)
        self.down = nn.Linear(6, 6)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.sum().item() > 0:  # noqa: SIM108  the form under test
            x = torch.relu(self.up(x))
        else:
            x = torch.tanh(self.down(x))
        return x * 2


class Repeat(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.step = nn.Linear(6, 6)

    def forward(self, x: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
        for _ in range(int(times.item())):
            x = torch.tanh(self.step(x))
        return x


class Constant(nn.Module):
    def __init__(self, deep: bool) -> None:
        super().__init__()
        self.step = nn.Linear(6, 6)
        self.deep = deep

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for _ in range(3):
            x = torch.tanh(self.step(x))
        if self.deep:
            x = torch.relu(x)
        if x.dim() == 2:
            x = x.unsqueeze(1)
        return x


class Shaped(nn.Module):
    """A branch on a size: folded where the size is fixed."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.shape[0] > 1:
            x = x - x.mean(0, keepdim=True)
        return torch.relu(x)


def test_branches_on_data_run_both_ways() -> None:
    net = Branch()
    fast = compiled(net, X)
    assert engines(fast) >= 2
    for x in (X + 1, X - 1):
        assert_close(fast(x), net(x))


def test_branches_of_an_exported_program_have_the_line_of_the_model() -> None:
    class Cond(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.cond(x.sum() > 0, lambda x: x + 1, lambda x: x.unbind()[0] - x, (x,))

    fast = torch_tensorrt.compile(Cond().eval(), inputs=[X], min_block_size=1)
    nodes = torch_tensorrt.report(fast).data["nodes"]
    assert "prim::If" in {node["op"] for node in nodes}
    assert {node["location"].partition(":")[0] for node in nodes} == {"test_control_flow.py"}


def test_loop_on_data_runs_as_often_as_it_should() -> None:
    net = Repeat()
    fast = compiled(net, X, torch.tensor(2))
    assert engines(fast) >= 1
    for times in (0, 1, 4):
        assert_close(fast(X, torch.tensor(times)), net(X, torch.tensor(times)))


def test_constant_control_flow_is_folded() -> None:
    for deep in (False, True):
        net = Constant(deep)
        fast = compiled(net, X)
        assert_one_engine(fast, "openvino")
        assert_close(fast(X), net(X))


def test_branch_on_a_fixed_size_is_folded() -> None:
    fast = compiled(Shaped(), X)
    assert_one_engine(fast, "openvino")
    assert_close(fast(X), Shaped()(X))


def test_branch_on_a_dynamic_size_stays_right() -> None:
    batch = torch_tensorrt.Input(min_shape=(1, 6), opt_shape=(2, 6), max_shape=(4, 6))
    fast = torch_tensorrt.compile(
        torch.jit.script(Shaped()), ir="ts", inputs=[batch], engine="openvino", min_block_size=1
    )
    for size in (1, 2, 4):
        x = torch.rand(size, 6)
        assert_close(fast(x), Shaped()(x))
