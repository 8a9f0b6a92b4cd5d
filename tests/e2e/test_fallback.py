"""What stays in PyTorch, with its reason, and what that does to the numbers: nothing."""

import re
from collections.abc import Callable

import pytest
import torch
import torch_tensorrt
from e2e.checks import assert_close, assert_one_engine, engines, ops_in_pytorch
from torch import nn
from torchvision.ops import nms

X = torch.linspace(-2, 2, 4 * 8).reshape(4, 8)


class Head(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(8, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(self.fc(x))


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = Head()
        self.middle = Head()
        self.last = Head()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.relu(self.middle(torch.relu(self.first(x)))))


class Singular(nn.Module):
    """An op that no engine takes, between two that they do."""

    def __init__(self) -> None:
        super().__init__()
        self.before, self.after = Head(), Head()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.before(x)
        return self.after(y) * torch.linalg.svdvals(y).sum()


def compiled(module: nn.Module, **settings: object) -> torch.jit.ScriptModule:
    settings.setdefault("min_block_size", 1)
    return torch_tensorrt.compile(module.eval(), ir="ts", inputs=[X], engine="openvino", **settings)


def test_torch_executed_ops_stay() -> None:
    net = Net()
    fast = compiled(net, torch_executed_ops={"aten::relu"})
    assert ops_in_pytorch(fast) == {"aten::relu": "user"}
    assert engines(fast) == 3
    assert_close(fast(X), net(X))


def test_torch_executed_ops_take_operators_of_torch_ops() -> None:
    fast = compiled(Net(), torch_executed_ops={torch.ops.aten.relu.default})
    assert ops_in_pytorch(fast) == {"aten::relu": "user"}


def test_torch_executed_modules_stay_by_type() -> None:
    net = Net()
    fast = compiled(net, torch_executed_modules=[Head])
    assert set(ops_in_pytorch(fast).values()) == {"user"}
    assert "aten::relu" not in ops_in_pytorch(fast)
    assert_close(fast(X), net(X))


def test_torch_executed_modules_stay_by_path() -> None:
    net = Net()
    fast = compiled(net, torch_executed_modules=["middle"])
    assert engines(fast) == 2
    assert set(ops_in_pytorch(fast).values()) == {"user"}
    assert_close(fast(X), net(X))


def test_unsupported_op_stays_with_its_reason() -> None:
    net = Singular()
    fast = compiled(net)
    assert ops_in_pytorch(fast)["aten::linalg_svdvals"] == "no_converter"
    assert engines(fast) >= 1
    assert_close(fast(X), net.eval()(X))


def test_small_groups_stay() -> None:
    net = Singular()
    fast = compiled(net, min_block_size=50)
    assert engines(fast) == 0
    assert "min_block_size" in ops_in_pytorch(fast).values()
    assert torch.equal(fast(X), net.eval()(X))


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
@pytest.mark.parametrize("ir", ["dynamo", "ts"])
def test_one_recurrent_layer_is_worth_an_engine(ir: str, kind: type[nn.RNNBase]) -> None:
    class Last(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = kind(3, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.layer(x)[0]

    net = Last().eval()
    x = torch.randn(7, 2, 3)
    fast = torch_tensorrt.compile(net, ir=ir, inputs=[x])
    assert_one_engine(fast, "openvino")
    assert_close(fast(x), net(x))


def test_report_says_where_an_op_comes_from() -> None:
    report = torch_tensorrt.report(compiled(Singular()))
    node = next(n for n in report.in_pytorch if n["op"] == "aten::linalg_svdvals")
    assert "test_fallback.py" in node["location"]
    assert "aten::linalg_svdvals" in report.text
    assert "aten::linalg_svdvals" in report.summary


class Dropped(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(torch.native_dropout(x, 0.5, None)[0])


def test_dropout_that_does_not_say_whether_it_trains_drops() -> None:
    fast = torch_tensorrt.compile(
        torch.jit.script(Dropped().eval()), ir="ts", inputs=[torch.ones(100)], min_block_size=1
    )
    assert ops_in_pytorch(fast)["aten::native_dropout"] == "effect"
    assert 0 < fast(torch.ones(100)).count_nonzero() < 100


def test_whole_net_is_one_engine_without_settings() -> None:
    fast = compiled(Net())
    assert_one_engine(fast, "openvino")


class Writes(nn.Module):
    """Results that were written in place, beside another."""

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        y = x.relu()
        whole = y[:]
        y[0] += 1
        whole[:, 1:3] = x[:, 2:4]
        return y, whole, x * 2


def test_writes_to_one_of_several_results_are_layers() -> None:
    fast = torch_tensorrt.compile(
        torch.jit.script(Writes().eval()), ir="ts", inputs=[X], min_block_size=1
    )
    assert_one_engine(fast, "openvino")
    assert_close(fast(X), Writes()(X))


def repeated(x: torch.Tensor) -> torch.Tensor:
    return x.repeat_interleave((x[:, 0] > 0).long() + 1, 0) * 2


def kept_boxes(x: torch.Tensor) -> torch.Tensor:
    corner = x[:, :2] * 0
    return nms(torch.cat([corner, corner + 1], 1), x[:, 4], 0.5).float() * 2


def there_and_back(x: torch.Tensor) -> torch.Tensor:
    window = torch.hann_window(8)
    spectrum = torch.stft(x, 8, window=window, return_complex=True)
    return torch.istft(spectrum, 8, window=window) * 2


@pytest.mark.parametrize("ir", ["ts", "dynamo"])
@pytest.mark.parametrize(
    ("function", "kept"),
    [
        (repeated, "aten::repeat_interleave"),
        (kept_boxes, "torchvision::nms"),
        (there_and_back, "fft|stft"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")
def test_sizes_that_zeros_do_not_tell(
    function: Callable[[torch.Tensor], torch.Tensor], kept: str, ir: str
) -> None:
    class Net(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return function(x)

    net = Net().eval()
    given = torch.jit.trace(net, X) if ir == "ts" else net
    fast = torch_tensorrt.compile(given, ir=ir, inputs=[X], min_block_size=1)
    assert any(re.search(kept, op) for op in ops_in_pytorch(fast))
    for x in (X, -X, X.roll(1, 0)):
        assert_close(fast(x), net(x))
