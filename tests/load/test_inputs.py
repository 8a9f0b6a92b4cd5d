"""Inputs of every layout and mode, results that are the caller's; all against eager PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
import torch_tensorrt
from e2e.checks import assert_close, engines
from torch import nn
from torch.utils import _pytree as pytree

Tensor = torch.Tensor
WAYS = [("ts", "openvino"), ("dynamo", "openvino"), ("ts", "reference")]


def compiled(module: nn.Module, way: tuple[str, str], *inputs: Any, **settings: Any) -> Any:
    ir, engine = way
    settings.setdefault("min_block_size", 1)
    return torch_tensorrt.compile(
        module.eval(), ir=ir, inputs=list(inputs), engine=engine, **settings
    )


class Images(nn.Module):
    """A convolution, and a path that only moves data."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return torch.relu(self.conv(x)), x.transpose(1, 2).flatten(2) * 2


class Pair(nn.Module):
    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return torch.relu(x * 2 - y)


class Selection(nn.Module):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        positive = x > 0
        return torch.relu(x[positive]) + 1, torch.nonzero(positive)


IMAGES = torch_tensorrt.Input(
    min_shape=(0, 3, 1, 1), opt_shape=(2, 3, 8, 8), max_shape=(4, 3, 16, 16)
)


def at_offset(x: Tensor, elements: int) -> Tensor:
    """The same tensor, that many elements after an address that allocators give."""
    room = torch.empty(x.numel() + elements)
    return room[elements:].view(x.shape).copy_(x)


LAYOUTS: dict[str, Callable[[Tensor], Tensor]] = {
    "dense": torch.clone,
    "channels_last": lambda x: x.contiguous(memory_format=torch.channels_last),
    "transposed": lambda x: x.transpose(2, 3),
    "permuted": lambda x: x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2),
    "every_second": lambda x: torch.stack([x, x + 1], -1)[..., 0],
    "cropped": lambda x: x[:, :, 1:-1, 2:-1],
    "expanded_batch": lambda x: x[:1].expand(4, -1, -1, -1),
    "expanded_channels": lambda x: x[:, :1].expand(-1, 3, -1, -1),
    "one_number": lambda x: x[:1, :1, :1, :1].expand(2, 3, 5, 7),
    "overlapping": lambda x: x.flatten()[:40].unfold(0, 27, 1)[:2].view(2, 3, 3, 3),
    "negative_view": lambda x: torch._neg_view(x),
    "negative_view_channels_last": lambda x: torch._neg_view(
        x.contiguous(memory_format=torch.channels_last)
    ),
    "parameter": lambda x: nn.Parameter(x.clone()),
    "no_images": lambda x: x[:0],
    "no_images_permuted": lambda x: x[:0].permute(0, 1, 3, 2),
    "smallest": lambda x: x[:1, :, :1, :1],
    **{f"offset_{n}": lambda x, n=n: at_offset(x, n) for n in (1, 2, 3, 5, 7, 8, 15)},
}


@pytest.fixture(scope="module", params=WAYS, ids="-".join)
def images(request: pytest.FixtureRequest) -> tuple[nn.Module, Any]:
    module = Images()
    fast = compiled(module, request.param, IMAGES)
    assert engines(fast) >= 1
    return module, fast


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(images: tuple[nn.Module, Any], layout: str) -> None:
    module, fast = images
    x = LAYOUTS[layout](torch.randn(3, 3, 9, 11, generator=torch.Generator().manual_seed(0)))
    before = x.detach().clone()
    assert_close(fast(x), module(x))
    assert torch.equal(x, before)


MODES: dict[str, Callable[[], Any]] = {
    "inference_mode": torch.inference_mode,
    "no_grad": torch.no_grad,
    "enable_grad": torch.enable_grad,
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", ["plain", "wants_gradients", "made_in_inference_mode"])
def test_modes(images: tuple[nn.Module, Any], mode: str, kind: str) -> None:
    module, fast = images
    with torch.inference_mode(kind == "made_in_inference_mode"):
        x = torch.randn(2, 3, 8, 8)
    if kind == "wants_gradients":
        x.requires_grad_()
    with torch.no_grad():
        expected = module(x)
    with MODES[mode]():
        results = fast(x)
    assert_close([y.detach() for y in results], list(expected))
    for y in results:
        assert y.is_inference() == (mode == "inference_mode")
        if not y.is_inference():
            y.detach().add_(1)


def test_a_result_takes_part_in_training(images: tuple[nn.Module, Any]) -> None:
    _, fast = images
    scale = torch.ones(1, requires_grad=True)
    with torch.enable_grad():
        (fast(torch.randn(2, 3, 8, 8))[0].detach() * scale).sum().backward()
    assert scale.grad is not None


@pytest.mark.parametrize("way", WAYS, ids="-".join)
def test_one_tensor_for_two_inputs(way: tuple[str, str]) -> None:
    shape = torch_tensorrt.Input(min_shape=(0, 4), opt_shape=(3, 4), max_shape=(9, 4))
    module = Pair()
    fast = compiled(module, way, shape, shape)
    base = torch.randn(9, 4)
    for x, y in [
        (base, base),
        (base[:6], base[3:]),
        (base[:1].expand(9, 4), base),
        (base[:0], base[9:]),
        (base[::2], base[:5]),
        (base, torch._neg_view(base)),
    ]:
        assert_close(fast(x, y), module(x, y))


@pytest.mark.parametrize("way", WAYS, ids="-".join)
def test_parts_of_complex_tensors(way: tuple[str, str]) -> None:
    module = Pair()
    fast = compiled(module, way, (3, 4), (3, 4))
    z = torch.randn(3, 4, dtype=torch.complex64)
    for value in (z, z.conj(), torch.randn(4, 3, dtype=torch.complex64).t().conj()):
        assert_close(fast(value.real, value.imag), module(value.real, value.imag))


@pytest.mark.parametrize("way", WAYS, ids="-".join)
def test_sizes_that_depend_on_data_from_many_threads(way: tuple[str, str]) -> None:
    module = Selection()
    fast = compiled(
        module, way, torch_tensorrt.Input(min_shape=(1, 8), opt_shape=(4, 8), max_shape=(16, 8))
    )

    def work(thread: int) -> None:
        generator = torch.Generator().manual_seed(thread)
        for call in range(20):
            x = torch.randn(1 + (thread * 5 + call) % 16, 8, generator=generator)
            x = (x - 5, x, x + 5)[call % 3]  # none, some, all
            assert_close(fast(x), module(x))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))


REFUSED: dict[str, tuple[Callable[[Tensor], Tensor], str]] = {
    "sparse": (lambda x: x.to_sparse(), "is a sparse tensor, expected a dense one"),
    "sparse_rows": (lambda x: x.to_sparse_csr(), "is a sparse tensor, expected a dense one"),
    "quantized": (
        lambda x: torch.quantize_per_tensor(x, 0.1, 0, torch.quint8),
        "has dtype QUInt8, expected float32",
    ),
}


@pytest.mark.parametrize("way", WAYS, ids="-".join)
@pytest.mark.parametrize("kind", REFUSED)
def test_tensors_without_plain_elements_are_refused(way: tuple[str, str], kind: str) -> None:
    fast = compiled(nn.Sequential(nn.Linear(4, 4), nn.ReLU()), way, torch.randn(3, 4))
    make, message = REFUSED[kind]
    x = torch.randn(3, 4)
    with pytest.raises((ValueError, RuntimeError), match=message):
        fast(make(x))
    fast(x)


# ---- whose memory results are ----


class Function(nn.Module):
    """A function, and a buffer and a parameter that it may read."""

    def __init__(self, function: Callable[[Any, Tensor], Any]) -> None:
        super().__init__()
        self.function = function
        self.register_buffer("table", torch.arange(12.0).reshape(3, 4))

    def forward(self, x: Tensor) -> Any:
        return self.function(self, x)


def twice(y: Any) -> tuple[Any, Any]:
    return y, y.clone()


# In eager PyTorch all results of these are new tensors.
NEW_RESULTS: dict[str, Callable[[Any, Tensor], Any]] = {
    "x+0": lambda m, x: x + 0,
    "x*1": lambda m, x: x * 1,
    "x/1": lambda m, x: x / 1,
    "clone": lambda m, x: x.clone(),
    "two_clones": lambda m, x: (x.clone(), x.clone()),
    "cat_of_one": lambda m, x: torch.cat([x]),
    "repeat_once": lambda m, x: x.repeat(1, 1),
    "pad_by_nothing": lambda m, x: nn.functional.pad(x, (0, 0)),
    "where_either": lambda m, x: torch.where(torch.ones(3, 4, dtype=torch.bool), x, x),
    "neg_of_neg": lambda m, x: torch.neg(torch.neg(x)),
    "there_and_back": lambda m, x: x.double().float(),
    "select_all": lambda m, x: x.index_select(0, torch.arange(3)),
    "equal_sums": lambda m, x: (x + 1, x + 1),
    "result_and_clone": lambda m, x: twice(x + 1),
    "result_and_repeat": lambda m, x: (x + 1, (x + 1).repeat(1, 1)),
    "table_times_two": lambda m, x: (x + 1, m.table * 2),
    "only_constants": lambda m, x: m.table * 2,
    "clone_of_table": lambda m, x: (x + 1, m.table.clone()),
    "ones": lambda m, x: (x + 1, torch.ones(3) + 1),
    "full": lambda m, x: (x + 1, torch.full((3,), 2.0)),
    "zeros_like": lambda m, x: (x + 1, torch.zeros_like(x)),
    "nested": lambda m, x: (x + 1, (torch.ones(2), x - 1)),
}
# Here some are the input, views of it, or the same tensor.
VIEWS: dict[str, Callable[[Any, Tensor], Any]] = {
    "x": lambda m, x: x,
    "view": lambda m, x: x.view(4, 3),
    "transpose": lambda m, x: x.t(),
    "slice": lambda m, x: x[:],
    "detach": lambda m, x: x.detach(),
    "contiguous": lambda m, x: x.contiguous(),
    "dropout": lambda m, x: nn.functional.dropout(x, training=False),
    "x_and_more": lambda m, x: (x + 1, x),
}


def faults_of_writes(run: Callable[[Tensor], Any], expected: Any, *, new: bool = True) -> list[str]:
    """What is seen where it should not be, after a caller wrote to each result.

    `new` says that eager PyTorch gives new tensors; otherwise only later calls count.
    """
    x = input_values()
    results = pytree.tree_leaves(run(x))
    faults = []
    for i, result in enumerate(results):
        others = [other.clone() for other in results]
        result.fill_(777)
        if new and not torch.equal(x, input_values()):
            faults.append(f"result {i} shares memory with the input")
        x.copy_(input_values())
        for j, other in enumerate(results):
            if new and j != i and not torch.equal(other, others[j]):
                faults.append(f"results {i} and {j} share memory")
    for result, value in zip(pytree.tree_leaves(run(x)), pytree.tree_leaves(expected), strict=True):
        if not torch.allclose(result, value, rtol=1e-5):
            faults.append("a later call sees the write")
    return faults


def input_values() -> Tensor:
    return torch.linspace(-2, 2, 12).reshape(3, 4)


def function_compiled(function: Callable[[Any, Tensor], Any], way: tuple[str, str]) -> Any:
    module = Function(function)
    if way[0] == "ts":
        return compiled(torch.jit.trace(module, input_values()), way, input_values())
    return compiled(module, way, input_values())


@pytest.mark.parametrize("way", WAYS, ids="-".join)
@pytest.mark.parametrize("name", NEW_RESULTS)
def test_new_results_are_the_callers(way: tuple[str, str], name: str) -> None:
    function = NEW_RESULTS[name]
    expected = Function(function)(input_values())
    assert faults_of_writes(Function(function), expected) == []  # what "new" means
    assert faults_of_writes(function_compiled(function, way), expected) == []


@pytest.mark.parametrize("way", WAYS, ids="-".join)
@pytest.mark.parametrize("name", VIEWS)
def test_views_are_right_at_the_next_call(way: tuple[str, str], name: str) -> None:
    expected = pytree.tree_map(torch.clone, Function(VIEWS[name])(input_values()))
    assert faults_of_writes(function_compiled(VIEWS[name], way), expected, new=False) == []


class Choice(nn.Module):
    """A constant as the result of a branch."""

    def forward(self, x: Tensor) -> Tensor:
        if bool(x.sum() > 100):
            return torch.relu(x) + 1
        return torch.full([3], 2.0)


def test_a_constant_of_a_branch_is_the_callers() -> None:
    fast = compiled(torch.jit.script(Choice()), ("ts", "openvino"), input_values())
    assert faults_of_writes(fast, torch.full([3], 2.0)) == []


def test_writes_find_shared_memory() -> None:
    constant = torch.ones(3)
    shared = torch.zeros(3, 4)
    planted: dict[str, Callable[[Tensor], Any]] = {
        "a later call sees the write": lambda x: (x + 1, constant),
        "result 0 shares memory with the input": lambda x: (x, constant.clone()),
        "results 0 and 1 share memory": lambda x: (shared.copy_(x), shared),
    }
    for fault, run in planted.items():
        expected = pytree.tree_map(torch.clone, run(input_values()))
        assert fault in faults_of_writes(run, expected)


def test_results_survive_later_calls() -> None:
    module = nn.Sequential(nn.Linear(4, 4), nn.ReLU()).eval()
    fast = compiled(module, ("ts", "openvino"), (2, 4))
    inputs = [torch.rand(2, 4) for _ in range(10)]
    results = [fast(x) for x in inputs]
    for x, result in zip(inputs, results, strict=True):
        assert_close(result, module(x))
