"""The second stage: what an engine takes, and the submodules that follow."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
from fx.models import FP32, MLP, Gate, Gated, Spectrum, seeded, targets
from torch import nn
from torch.fx.passes.operator_support import OperatorSupportBase
from torch_tensorrt import fx
from torch_tensorrt.fx import InputTensorSpec, TRTInterpreter, TRTModule
from torch_tensorrt.fx.tools.trt_splitter import (
    TRTSplitter,
    TRTSplitterSetting,
    create_trt_operator_support,
)

X = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))


def splitter(**settings: object) -> TRTSplitter:
    traced = fx.trace(seeded(Spectrum), [X])
    return TRTSplitter(traced, [X], settings=TRTSplitterSetting(**settings))  # type: ignore[arg-type]


def names(module: nn.Module) -> list[str]:
    return [name for name, _ in module.named_children()]


def same(got: tuple[object, ...], expected: tuple[object, ...]) -> None:
    for a, b in zip(got, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("aten", [False, True])
def test_submodules_by_what_the_engine_takes(aten: bool) -> None:
    traced = fx.trace(seeded(Spectrum), [X], aten=aten)
    before = str(traced.graph)
    module = TRTSplitter(traced, [X])()
    assert names(module)[:3] == ["_run_on_acc_0", "_run_on_gpu_1", "_run_on_acc_2"]
    assert any("fft" in target for target in targets(module.get_submodule("_run_on_gpu_1").graph))
    same(module(X), seeded(Spectrum)(X))
    assert str(traced.graph) == before


def test_a_size_is_computed_where_it_is_used() -> None:
    """Only tensors go from one submodule to the next; a size that is returned stays in PyTorch."""
    result = splitter().generate_split_results()
    for given in result.submodule_inputs.values():
        assert all(isinstance(value, torch.Tensor) for value in given)
    assert targets(result.split_module.get_submodule("_run_on_gpu_3").graph) == ["size"]
    other = torch.randn(6, 4)
    same(result.split_module(other), seeded(Spectrum)(other))


def test_reasons() -> None:
    split = splitter()
    assert split.support["first"].engine
    assert not split.support["fft_rfft"].engine
    assert split.support["fft_rfft"].code == "no_converter"
    assert "aten::_fft_r2c" in split.support["fft_rfft"].reason
    assert {node["op"] for node in split.report.in_pytorch} == {"aten::_fft_r2c", "aten::abs"}
    assert {node["module"] for node in split.report.data["nodes"] if node.get("module")} == {
        "first",
        "second",
    }


def test_previews() -> None:
    split = splitter()
    lines = split.node_support_preview().splitlines()
    assert len(lines) == len(split.support)
    (line,) = [line for line in lines if line.startswith("first ")]
    assert "module first (Linear)  " in line
    assert "engine  # models.py:" in line
    assert "PyTorch: aten::_fft_r2c: no converter" in split.node_support_preview()
    assert split.split_preview().splitlines()[1] == "_run_on_gpu_1: fft_rfft, abs_1"


def test_small_groups_stay_in_pytorch() -> None:
    split = splitter(min_acc_module_size=3)
    assert names(split())[:2] == ["_run_on_acc_0", "_run_on_gpu_1"]
    assert split.support["sum_1"].code == "min_block_size"
    assert "min_acc_module_size=3" in split.support["sum_1"].reason
    assert names(splitter(min_acc_module_size=99)()) == ["_run_on_gpu_0", "_run_on_gpu_1"]


def test_excluded_nodes_stay_in_pytorch() -> None:
    split = splitter(exclude_support_node_name={"relu"})
    assert split.support["relu"].code == "user"
    assert targets(split().get_submodule("_run_on_acc_0").graph) == ["first"]
    same(split()(X), seeded(Spectrum)(X))


def test_an_excluded_name_that_no_node_has() -> None:
    with pytest.raises(ValueError, match="has gelu, which no node of the graph is called"):
        splitter(exclude_support_node_name={"gelu"})


def test_too_many_submodules() -> None:
    with pytest.raises(ValueError, match="becomes 2 accelerated submodules, expected at most 1"):
        splitter(max_acc_splits=1)


def test_compile_settings_count() -> None:
    split = splitter(settings={"torch_executed_modules": [nn.Linear]})
    assert (split.support["first"].code, split.support["second"].code) == ("user", "user")
    with pytest.raises(TypeError, match="min_blok_size"):
        splitter(settings={"min_blok_size": 1})


def test_a_support_of_the_users() -> None:
    class OnlyLinear(OperatorSupportBase):
        def is_node_supported(
            self, submodules: Mapping[str, nn.Module], node: torch.fx.Node
        ) -> bool:
            return isinstance(submodules.get(str(node.target)), nn.Linear)

    traced = fx.trace(seeded(MLP), [torch.randn(2, 8)])
    module = TRTSplitter(traced, [torch.randn(2, 8)], OnlyLinear())()
    assert names(module) == [f"_run_on_{('acc', 'gpu')[index % 2]}_{index}" for index in range(6)]
    x = torch.randn(5, 8)
    torch.testing.assert_close(module(x), seeded(MLP)(x))


def test_the_support_of_the_engine_can_be_combined() -> None:
    traced = fx.trace(seeded(Spectrum), [X])
    support = create_trt_operator_support(exclude_support_node_name={"second"})
    split = TRTSplitter(traced, [X], support)
    assert not split.support["second"].engine
    assert split.support["first"].engine


def test_what_export_refuses_stays_in_pytorch() -> None:
    traced = fx.trace(seeded(Gated), [X], leaf_modules={Gate})
    split = TRTSplitter(traced, [X])
    assert split.split_preview().splitlines() == [
        "_run_on_acc_0: first",
        "_run_on_gpu_1: gate",
        "_run_on_acc_2: second, relu, sub",
        "_run_on_gpu_3: last",
    ]
    assert split.support["gate"].code == "capture"
    torch.testing.assert_close(split()(X), seeded(Gated)(X))


def test_a_number_that_depends_on_data_keeps_its_readers_in_pytorch() -> None:
    class Scaled(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.relu(x) * x.max().item()

    traced = fx.trace(Scaled(), [X])
    split = TRTSplitter(traced, [X])
    assert split.support["relu"].engine
    assert not split.support["item"].engine
    assert not split.support["mul"].engine
    torch.testing.assert_close(split()(X * 2), Scaled()(X * 2))


@pytest.mark.parametrize("aten", [False, True])
def test_all_stages_one_by_one_with_a_dynamic_batch(aten: bool) -> None:
    model = seeded(Spectrum)
    specs = InputTensorSpec.from_tensors_with_dynamic_batch_size([X], (1, 3, 8))
    traced = fx.trace(model, specs, aten=aten)
    split = TRTSplitter(traced, specs).generate_split_results()
    module = split.split_module
    assert split.submodule_specs["_run_on_acc_2"][1].shape_ranges == [
        ((1, 2, 3), (3, 2, 3), (8, 2, 3))
    ]
    for name in [n for n in names(module) if not n.startswith(split.non_acc_submodule_prefix)]:
        interpreter = TRTInterpreter(module.get_submodule(name), split.submodule_specs[name])
        result = interpreter.run(lower_precision=FP32)
        engine = TRTModule(result.engine, result.input_names, result.output_names)
        module.add_module(name, engine)
    for batch in (1, 3, 8):
        x = torch.randn(batch, 4)
        same(module(x), model(x))


class Written(nn.Module):
    """Writes that later readers see: into an own value, through a view, into a foreign value."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = torch.tanh(x)
        y.mul_(2)
        spectrum = torch.fft.rfft(y).abs()
        y[:, 0] = 0
        z = torch.relu(y) + spectrum.sum()
        spectrum.view(-1).add_(1)
        return z * spectrum.mean() + y


def test_nothing_moves_over_a_write() -> None:
    traced = fx.trace(Written(), [X])
    split = TRTSplitter(traced, [X])
    assert split.support["tanh"].engine
    assert split.support["mul_"].engine
    for name in ("setitem", "add_", "view"):
        assert split.support[name].code == "shared"
    assert "it writes, or shows, a tensor of another submodule" in split.node_support_preview()
    module = split()
    torch.testing.assert_close(module(X), Written()(X))
    specs = split.generate_split_results().submodule_specs
    for name in [n for n in names(module) if n.startswith("_run_on_acc_")]:
        result = TRTInterpreter(module.get_submodule(name), specs[name]).run(lower_precision=FP32)
        module.add_module(name, TRTModule(result.engine, result.input_names, result.output_names))
    torch.testing.assert_close(module(X), Written()(X), rtol=1e-4, atol=1e-5)


def test_modes_of_modules_are_kept() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4)).train()
    model[1].eval()
    TRTSplitter(fx.trace(model, [X]), [X]).generate_split_results()
    assert [model.training, model[0].training, model[1].training] == [True, True, False]
