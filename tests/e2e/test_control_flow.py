"""Ifs and loops: folded where they are constant, else in PyTorch with engines in their blocks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch_tensorrt
from e2e.checks import assert_close, assert_one_engine, engines
from torch import nn
from torch._higher_order_ops.map import map as map_rows
from torch._higher_order_ops.scan import scan
from torch._higher_order_ops.while_loop import while_loop

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


class Nested(nn.Module):
    """A branch within a branch, both with weights of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(6, 6), nn.Linear(6, 6)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        def deep(x: torch.Tensor) -> torch.Tensor:
            return torch.cond(x.max() > 1, lambda x: self.inner(x).relu(), torch.cos, (x,))

        return torch.cond(x.sum() > 0, deep, lambda x: self.outer(x) * 2, (x,)) + 1


class While(nn.Module):
    """A loop whose condition reads what its body computes and what is outside."""

    def __init__(self) -> None:
        super().__init__()
        self.enter, self.step = nn.Linear(6, 6), nn.Linear(6, 6)

    def forward(self, x: torch.Tensor, times: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        def goes_on(i: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
            return (i < times) & (h.abs().max() < 3)

        def body(i: torch.Tensor, h: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return i + 1, torch.tanh(self.step(h)) + h

        i, h = while_loop(goes_on, body, (torch.tensor(0), self.enter(x)))
        return h.softmax(1), i


class Counted(nn.Module):
    """A loop over a number, with a branch inside."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        def body(i: int, h: torch.Tensor) -> tuple[int, torch.Tensor]:
            return i + 1, torch.cond(h.sum() > 0, lambda h: h * 2, lambda h: h - 1, (h,))

        return while_loop(lambda i, h: i < 4, body, (0, x))[1]


class InPyTorch(nn.Module):
    """A loop over an op that no engine takes, whose weight the exported program holds."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes = nn.Parameter(torch.rand(6))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        def body(i: torch.Tensor, h: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return i + 1, torch.special.i1e(h) + torch.special.i1e(self.sizes)

        return while_loop(lambda i, h: i < 2, body, (torch.tensor(0), x))[1]


class Scanned(nn.Module):
    """A recurrence of one's own, from the last row to the first."""

    def __init__(self) -> None:
        super().__init__()
        self.enter, self.step = nn.Linear(6, 6), nn.Linear(6, 6)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        def combine(h: torch.Tensor, row: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            h = torch.tanh(self.enter(row) + self.step(h))
            return h, h * 2

        return scan(combine, torch.zeros(6), x, reverse=True)


class Mapped(nn.Module):
    """A function of each row and of something outside."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return map_rows(lambda row, last: row.softmax(0) * last, x, x[-1].clone())


def kept(fast: Any, path: Path) -> Any:
    return fast


def as_exported_program(fast: Any, path: Path) -> Any:
    torch_tensorrt.save(fast, path / "fast.pt2")
    return torch_tensorrt.load(path / "fast.pt2").module()


def as_torchscript(fast: Any, path: Path) -> Any:
    torch_tensorrt.save(fast, path / "fast.ts", output_format="torchscript")
    return torch_tensorrt.load(path / "fast.ts")


TIMES = tuple((X, torch.tensor(times)) for times in (5, 0, 1, 50))
SIGNS = ((X + 1,), (X - 1,), (X + 0.1,))
EXPORTED = {
    "nested branches": (Nested, SIGNS, 4),
    "loop": (While, TIMES, 3),
    "branch in a loop over a number": (Counted, SIGNS, 2),
    "loop in PyTorch": (InPyTorch, SIGNS, 1),
    "scan": (Scanned, SIGNS, 1),
    "map": (Mapped, SIGNS, 1),
}


@pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")
@pytest.mark.parametrize(
    ("what", "stored"),
    [
        (what, stored)
        for what in EXPORTED
        for stored in (kept, as_exported_program, as_torchscript)
        # torch.export.save itself refuses operands of which some are numbers and some are tensors.
        if (what, stored) != ("branch in a loop over a number", as_exported_program)
    ],
)
@torch.no_grad()
def test_control_flow_of_exported_programs(
    what: str, stored: Callable[[Any, Path], Any], tmp_path: Path
) -> None:
    torch.manual_seed(0)
    kind, calls, least = EXPORTED[what]
    net = kind().eval()
    fast = torch_tensorrt.compile(net, inputs=list(calls[0]), min_block_size=1)
    assert engines(fast) >= least
    run = stored(fast, tmp_path)
    for call in calls:
        assert_close(run(*call), net(*call))
