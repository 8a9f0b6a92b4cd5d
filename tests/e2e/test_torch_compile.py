"""The torch.compile backend: graph breaks, recompilation, mutation, options."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import torch_tensorrt
from e2e.checks import assert_close
from e2e.models import MODELS
from torch import nn


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def fast(target: Any, **options: Any) -> Any:
    dynamic = options.pop("dynamic", None)
    options = {"engine": "openvino", "min_block_size": 1, **options}
    return torch.compile(target, backend="tensorrt", dynamic=dynamic, options=options)


def reports(run: Callable[[], Any]) -> list[torch_tensorrt.Report]:
    before = len(torch_tensorrt.dynamo.compiled_graphs())
    run()
    return torch_tensorrt.dynamo.compiled_graphs()[before:]


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_large", "gpt2", "vit_b_16", "unet"])
def test_models(name: str) -> None:
    model = MODELS[name]
    module = model.module()
    compiled = fast(module)
    inputs = model.tensors(model.between or model.shapes)
    (report,) = reports(lambda: assert_close(compiled(*inputs), module(*inputs)))
    assert report.in_pytorch == [], report.text
    assert len(report.engines) == 1


def test_found_without_importing_this_package() -> None:
    program = (
        "import torch\n"
        "options = {'min_block_size': 1}\n"
        "f = torch.compile(torch.nn.ReLU(), backend='torch_tensorrt', options=options)\n"
        "with torch.no_grad(): print(f(torch.tensor([-1.0, 2.0])).tolist())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[0.0, 2.0]"


def test_unknown_option() -> None:
    with pytest.raises(Exception, match="did you mean 'min_block_size'"):
        torch.compile(nn.ReLU(), backend="tensorrt", options={"min_blok_size": 1})(torch.ones(2))


def test_control_flow_and_writes() -> None:
    def function(x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, ...]:
        x = x * 2 + 1 if x.sum() > 0 else x - 3
        y.add_(1)
        return torch.relu(x) @ y, x[x > 0], torch.nonzero(y)

    compiled = fast(function)
    for sign in (1, -1, 1):
        x, y = torch.rand(4, 4) * sign, torch.rand(4, 4)
        theirs = y.clone()
        assert_close(compiled(x, y), function(x, theirs))
        assert torch.equal(y, theirs)


def test_one_graph_serves_growing_sizes() -> None:
    module = nn.Sequential(nn.Linear(4, 4), nn.ReLU()).eval()
    compiled = fast(module, dynamic=True)

    def run() -> None:
        for size in (2, 3, 7, 5000, 9000, 1):
            x = torch.rand(size, 4)
            assert_close(compiled(x), module(x))

    # One for the first sizes, one or two when the range grows, one where the size is 1.
    assert 2 <= len(reports(run)) <= 4


def test_weights_that_change_are_noticed() -> None:
    module = nn.Linear(4, 4).eval()
    compiled = fast(module)
    x = torch.rand(2, 4)
    assert_close(compiled(x), module(x))
    module.weight.mul_(2)
    assert_close(compiled(x), module(x))
    module.bias = nn.Parameter(torch.rand(4))
    assert_close(compiled(x), module(x))


def test_what_cannot_be_compiled_runs_in_pytorch_and_says_so() -> None:
    def function(x: torch.Tensor) -> torch.Tensor:
        return torch.linalg.eigvalsh(x)

    compiled = fast(function)
    x = torch.rand(4, 4)
    (report,) = reports(lambda: assert_close(compiled(x), function(x), tolerance=1e-3))
    assert report.engines == []
    assert "no_converter" in report.text


def test_threads() -> None:
    module = nn.Sequential(nn.Linear(8, 8), nn.GELU(), nn.Linear(8, 8)).eval()
    compiled = fast(module)
    inputs = [torch.rand(3, 8, generator=torch.Generator().manual_seed(i)) for i in range(4)]
    compiled(inputs[0])
    failures: list[BaseException] = []

    def work(x: torch.Tensor) -> None:
        try:
            with torch.no_grad():
                for _ in range(20):
                    assert_close(compiled(x), module(x))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(x,)) for x in inputs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_through_compile() -> None:
    module = nn.Linear(4, 2).eval()
    compiled = torch_tensorrt.compile(module, ir="torch_compile", min_block_size=1)
    x = torch.rand(2, 4)
    assert_close(compiled(x), module(x))


class Positions(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(50, 8), nn.Embedding(77, 8)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        places = self.places(torch.arange(ids.shape[1]))
        return torch.relu(self.words(ids) + places).sum(-1)


def test_an_open_size_ends_where_the_model_does() -> None:
    """Nothing says how long the text may be; the position table has 77 rows."""
    module = Positions().eval()
    fast = torch.compile(module, backend="tensorrt", options={"min_block_size": 1})
    for length in (3, 5, 77, 12):
        ids = torch.randint(50, (2, length))
        assert_close(fast(ids), module(ids))
    last = torch_tensorrt.dynamo.compiled_graphs()[-1]
    assert last.in_pytorch == []
    assert "77" in last.text
