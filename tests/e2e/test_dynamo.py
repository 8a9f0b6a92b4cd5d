"""Exported programs: shapes, nesting, state, what stays in PyTorch."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
import torch_tensorrt
from e2e.checks import assert_close, assert_one_engine, engines, ops_in_pytorch
from e2e.models import MODELS
from torch import nn

Input = torch_tensorrt.Input
BATCH = Input(min_shape=(1, 4), opt_shape=(1, 4), max_shape=(8, 4))


def compiled(module: nn.Module, inputs: Any = None, **options: Any) -> Any:
    options = {"engine": "openvino", "min_block_size": 1, **options}
    return torch_tensorrt.compile(module.eval(), inputs=inputs, **options)


@pytest.mark.parametrize("name", [n for n in MODELS if n not in ("resnet50", "fcn", "densenet121")])
def test_one_compilation_serves_all_shapes(name: str) -> None:
    model = MODELS[name]
    assert model.smallest
    assert model.between
    assert model.largest
    module = model.module()
    # A recurrent layer is one op, so its model has fewer than the default's five.
    fast = torch_tensorrt.compile(
        module, inputs=model.ranges(), engine="openvino", min_block_size=3
    )
    assert_one_engine(fast, "openvino")
    for seed, shapes in enumerate((model.smallest, model.between, model.largest)):
        inputs = model.tensors(shapes, seed)
        assert_close(fast(*inputs), module(*inputs))


def test_a_usual_size_of_one_stays_dynamic() -> None:
    module = nn.Linear(4, 2).eval()
    fast = compiled(module, [BATCH])
    for size in (1, 2, 8):
        x = torch.rand(size, 4)
        assert_close(fast(x), module(x))


def test_a_dimension_that_the_model_fixes_is_an_error_that_names_it() -> None:
    class Fixed(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.reshape(2, 4) + 1

    with pytest.raises(ValueError, match=r"input 0: dimension 0 is asked to be 1\.\.8.*fixes it"):
        compiled(Fixed(), [Input(min_shape=(1, 4), opt_shape=(2, 4), max_shape=(8, 4))])


class Nested(nn.Module):
    """A tuple and a dict in, a dict of a tensor, a pair and None out."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(
        self,
        pair: tuple[torch.Tensor, torch.Tensor],
        *,
        named: dict[str, torch.Tensor],
        scale: float,
    ) -> dict[str, Any]:
        a, b = pair
        y = self.linear(a) * scale + named["bias"]
        return {"y": y, "pair": (a + b, y), "nothing": None, "input": a}


def test_nested_arguments_and_results() -> None:
    module = Nested().eval()
    a, b, bias = torch.rand(3, 4), torch.rand(3, 4), torch.rand(4)
    fast = torch_tensorrt.compile(
        module,
        arg_inputs=[(a, b)],
        kwarg_inputs={"named": {"bias": bias}, "scale": 2.0},
        min_block_size=1,
        engine="openvino",
    )
    got = fast((a, b), named={"bias": bias}, scale=2.0)
    expected = module((a, b), named={"bias": bias}, scale=2.0)
    assert got["nothing"] is None
    assert_close(got["pair"], expected["pair"])
    assert torch.equal(got["input"], a)


class Counter(nn.Module):
    """Adds what it sees to a buffer and returns it: state that every call changes."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 4)
        self.register_buffer("seen", torch.zeros(4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = torch.relu(self.linear(x))
        self.seen.add_(y.sum(0))
        return y + self.seen


def test_state_that_forward_writes() -> None:
    module = Counter().eval()
    eager, fast = copy.deepcopy(module), compiled(module, [BATCH])
    assert torch.equal(module.seen, torch.zeros(4)), "compiling ran the model"
    for size in (2, 5, 1):
        x = torch.rand(size, 4)
        assert_close(fast(x), eager(x))
    assert_close(fast.state_dict()["seen"], eager.seen)
    assert torch.equal(module.seen, torch.zeros(4)), "calls changed the model that was compiled"


def test_results_that_are_inputs_constants_or_equal() -> None:
    class Results(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.rand(4))

        def forward(self, x: torch.Tensor) -> tuple[Any, ...]:
            y = x * self.weight
            return x, y, y, self.weight, 3, x.shape[0]

    module = Results().eval()
    fast = compiled(module, [BATCH])
    x = torch.rand(3, 4)
    got, expected = fast(x), module(x)
    assert got[4:] == expected[4:]
    assert_close(got[:4], expected[:4])


def test_an_input_that_is_written_in_place() -> None:
    class Writes(nn.Module):
        def forward(self, x: torch.Tensor, cache: torch.Tensor) -> torch.Tensor:
            cache[:, 1:3] = x * 2
            return cache.sum(1)

    module = Writes().eval()
    fast = compiled(module, [torch.rand(2, 2), torch.rand(2, 5)])
    x, cache = torch.rand(2, 2), torch.rand(2, 5)
    theirs = cache.clone()
    assert_close(fast(x, cache), module(x, theirs))
    assert torch.equal(cache, theirs)


@torch.library.custom_op("torchtrt_test::halve", mutates_args=())
def halve(x: torch.Tensor) -> torch.Tensor:
    return x / 2


@halve.register_fake
def _(x: torch.Tensor) -> torch.Tensor:
    return torch.empty_like(x)


def test_a_custom_op_stays_in_pytorch_with_its_place() -> None:
    class Halves(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.relu(halve(torch.sin(x) + 1)) * 3

    module = Halves().eval()
    fast = compiled(module, [BATCH])
    assert ops_in_pytorch(fast) == {"torchtrt_test::halve": "no_converter"}
    assert engines(fast) == 2
    (left,) = torch_tensorrt.report(fast).in_pytorch
    assert left["location"].startswith("test_dynamo.py:")
    x = torch.rand(5, 4)
    assert_close(fast(x), module(x))


def test_sizes_that_depend_on_data_stay_in_pytorch() -> None:
    class Chooses(nn.Module):
        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            y = torch.relu(x) + 1
            return torch.nonzero(y > 1.5), y[y > 1.5] * 2

    module = Chooses().eval()
    fast = compiled(module, [torch.rand(3, 4)])
    for seed in range(3):
        x = torch.rand(3, 4, generator=torch.Generator().manual_seed(seed))
        assert_close(fast(x), module(x))


def test_cond_is_compiled_inside() -> None:
    class Branches(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = torch.sin(x)
            (z,) = torch.cond(
                y.sum() > 0,
                lambda a: (torch.relu(a) * 2 + 1,),
                lambda a: (torch.tanh(a) - 1,),
                (y,),
            )
            return z * 3

    module = Branches().eval()
    fast = compiled(module, [torch.rand(2, 4)])
    assert engines(fast) >= 3
    for sign in (1, -1):
        x = torch.rand(2, 4) * sign
        assert_close(fast(x), module(x))


def test_copies_and_pickles_keep_their_own_state() -> None:
    module = Counter().eval()
    fast = compiled(module, [torch.rand(2, 4)])
    x = torch.rand(2, 4)
    for other in (copy.deepcopy(fast), pickle.loads(pickle.dumps(fast))):
        eager = copy.deepcopy(module)
        assert_close(other(x), eager(x))
        assert_close(other(x), eager(x))
    assert torch.equal(fast.seen, torch.zeros(4))
    assert "_run_on_acc_0" in str(fast.graph)


def test_dryrun_builds_nothing_and_reports(tmp_path: Path) -> None:
    module = nn.Sequential(nn.Linear(4, 4), nn.ReLU())
    path = tmp_path / "report.txt"
    fast = compiled(module, [torch.rand(2, 4)], dryrun=str(path))
    assert "1 engine, 2 of 2 ops" in path.read_text()
    assert not [m for m in fast.modules() if isinstance(m, torch_tensorrt.TorchTensorRTModule)]
    x = torch.rand(2, 4)
    assert torch.equal(fast(x), module(x))


def test_lowering_passes_and_decompositions_of_users() -> None:
    from torch_tensorrt.dynamo import lowering

    calls = []

    @lowering._aten_lowering_pass
    def relu_to_sigmoid(gm: torch.fx.GraphModule, settings: Any) -> torch.fx.GraphModule:
        calls.append(settings.min_block_size)
        for node in gm.graph.find_nodes(op="call_function", target=torch.ops.aten.relu.default):
            node.target = torch.ops.aten.sigmoid.default
        return gm

    try:
        fast = compiled(nn.ReLU(), [torch.rand(2, 4)])
    finally:
        lowering._remove_lowering_pass(index=-1)
    x = torch.rand(2, 4)
    assert_close(fast(x), torch.sigmoid(x))
    assert calls == [1]


def test_torchscript_inside_and_around() -> None:
    inner = torch_tensorrt.compile(
        nn.Sequential(nn.Linear(4, 4), nn.ReLU()).eval(), ir="ts", inputs=[(2, 4)], min_block_size=1
    )
    outer = compiled(nn.Linear(4, 4), [torch.rand(2, 4)])
    x = torch.rand(2, 4)
    expected = outer(inner(x))

    class Both(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.outer = inner, outer

        def forward(self, y: torch.Tensor) -> torch.Tensor:
            return self.outer(self.inner(y))

    assert_close(compiled(Both(), [x])(x), expected)
    assert_close(torch.jit.trace(Both(), x)(x), expected)


class ComplexEdges(nn.Module):
    """Complex in and out, real between."""

    def __init__(self) -> None:
        super().__init__()
        self.re, self.im = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        y = torch.view_as_real(z)
        re, im = self.re(y[..., 0]).relu(), self.im(y[..., 1]).sigmoid()
        return torch.complex(re, im), re + im


class ComplexWithin(nn.Module):
    """Rotary positions as complex numbers, and a Fourier transform."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.mix = nn.Linear(8, 8), nn.Linear(5, 5)
        self.register_buffer("turns", torch.polar(torch.ones(6, 4), torch.rand(6, 4)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pairs = torch.view_as_complex(self.query(x).reshape(*x.shape[:-1], -1, 2))
        turned = torch.view_as_real(pairs * self.turns).flatten(-2)
        return self.mix(torch.fft.rfft(turned).abs()).relu()


@pytest.mark.parametrize("ir", ["dynamo", "torch_compile"])
def test_complex_numbers_stay_in_pytorch(ir: str) -> None:
    for module, x in (
        (ComplexEdges(), torch.rand(2, 4, dtype=torch.complex64)),
        (ComplexWithin(), torch.rand(2, 6, 8)),
    ):
        fast = compiled(module, [x], ir=ir)
        torch.testing.assert_close(fast(x), module(x), rtol=1e-4, atol=1e-5)
        if ir == "dynamo":
            assert torch_tensorrt.report(fast).engines


def test_nothing_to_compute_is_no_failure() -> None:
    module, x = nn.Dropout(), torch.rand(2, 4)
    fast = compiled(module, [x], require_full_compilation=True)
    assert torch.equal(fast(x), x)
    program = torch_tensorrt.dynamo.trace(module, inputs=[x])
    with pytest.raises(NotImplementedError, match="computes nothing"):
        torch_tensorrt.dynamo.convert_exported_program_to_serialized_trt_engine(program)
