"""All stages at once: fx.compile and Lowerer."""

from __future__ import annotations

import copy
import operator
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
import torch_tensorrt
from e2e.checks import assert_one_engine, ops_in_pytorch
from fx.models import (
    FP32,
    MLP,
    Convolutions,
    Gate,
    Gated,
    Spectrum,
    Transformer,
    compiled,
    engines,
    replaced,
    resnet18,
    seeded,
    targets,
)
from torch import nn
from torch_tensorrt import Input, fx
from torch_tensorrt.fx import (
    InputTensorSpec,
    Lowerer,
    LowerPrecision,
    LowerSetting,
    TRTModule,
)
from torch_tensorrt.fx.passes import PassManager, fold_conv_bn

MODELS: dict[str, Any] = {
    "mlp": (lambda: seeded(MLP), lambda n: torch.randn(n, 8)),
    "resnet18": (resnet18, lambda n: torch.randn(n, 3, 32, 32)),
    "transformer": (lambda: seeded(Transformer), lambda n: torch.randint(0, 11, (n, 6))),
}


def close(got: Any, expected: Any) -> None:
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("is_aten", [False, True], ids=["symbolic", "aten"])
@pytest.mark.parametrize("dynamic_batch", [False, True], ids=["fixed", "dynamic"])
@pytest.mark.parametrize("name", MODELS)
def test_whole_models_become_one_engine(name: str, dynamic_batch: bool, is_aten: bool) -> None:
    build, example = MODELS[name]
    torch.manual_seed(1)
    model = build()
    fast = compiled(model, [example(2)], is_aten=is_aten, dynamic_batch=dynamic_batch)
    assert_one_engine(fast, "openvino")
    for batch in (1, 2, 7) if dynamic_batch else (2,):
        x = example(batch)
        close(fast(x), model(x))
    if not dynamic_batch:
        with pytest.raises(ValueError, match=r"has shape \[3, .*expected"):
            fast(example(3))


def test_a_module_of_pytorch_that_is_one_node_of_the_trace() -> None:
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
    model = nn.Sequential(nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)).eval()
    fast = compiled(model, [torch.randn(2, 5, 16)])
    assert_one_engine(fast, "openvino")
    x = torch.randn(7, 5, 16)
    close(fast(x), model(x))


@pytest.mark.parametrize("is_aten", [False, True])
def test_an_op_without_a_converter_stays_in_pytorch(is_aten: bool) -> None:
    model = seeded(Spectrum)
    fast = compiled(model, [torch.randn(3, 4)], is_aten=is_aten)
    assert engines(fast) == 2
    assert ops_in_pytorch(fast) == {"aten::_fft_r2c": "no_converter", "aten::abs": "refused"}
    for batch in (1, 3, 5):
        x = torch.randn(batch, 4)
        for got, expected in zip(fast(x), model(x), strict=True):
            close(got, expected)


def test_what_export_refuses_stays_in_pytorch(capfd: pytest.CaptureFixture[str]) -> None:
    model = seeded(Gated)
    lowerer = Lowerer.create(LowerSetting(min_acc_module_size=1, leaf_module_list={Gate}))
    with torch_tensorrt.logging.info():
        fast = lowerer(model, [torch.randn(3, 4)])
    assert (
        "a node stays in PyTorch: [capture] module gate (Gate) at models.py"
        in capfd.readouterr().err
    )
    report = torch_tensorrt.report(fast)
    assert len(report.engines) == 2
    assert [node["code"] for node in report.in_pytorch] == ["capture", "capture"]
    assert [node["engine"] for node in report.data["nodes"]] == [0, 1, 1, 1, -1, -1]
    assert report.summary.startswith("openvino: 2 engines, 4 of 6 ops; PyTorch: module gate (Gate)")
    assert "models.py" in report.in_pytorch[0]["location"]
    for sign in (1, -1):
        x = sign * torch.rand(3, 4)
        close(fast(x), model(x))


def test_what_export_refuses_with_a_range_of_shapes() -> None:
    model = seeded(Gated)
    spec = Input(min_shape=(1, 4), opt_shape=(2, 4), max_shape=(9, 4))
    lowerer = Lowerer.create(LowerSetting(min_acc_module_size=1, leaf_module_list={Gate}))
    fast = lowerer(model, [spec])
    for batch in (1, 6, 9):
        x = torch.randn(batch, 4)
        close(fast(x), model(x))


def test_full_compilation_names_what_export_refuses() -> None:
    setting = LowerSetting(leaf_module_list={Gate}, settings={"require_full_compilation": True})
    with pytest.raises(NotImplementedError, match=r"module gate \(Gate\) at models\.py:\d+ `if x"):
        Lowerer.create(setting)(seeded(Gated), [torch.randn(3, 4)])


def test_full_compilation_names_what_no_engine_takes() -> None:
    with pytest.raises(NotImplementedError, match=r"aten::_fft_r2c at models\.py:\d+"):
        compiled(seeded(Spectrum), [torch.randn(3, 4)], require_full_compilation=True)


def test_a_model_that_fixes_its_batch(capfd: pytest.CaptureFixture[str]) -> None:
    class Fixed(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.relu(x.view(2, -1)) + 1

    for is_aten in (False, True):
        with torch_tensorrt.logging.info():
            fast = compiled(Fixed(), [torch.randn(2, 3, 4)], is_aten=is_aten)
        assert "INFO: the batch stays that of the inputs: [capture]" in capfd.readouterr().err
        assert engines(fast) == 1
        x = torch.randn(2, 3, 4)
        close(fast(x), Fixed()(x))
    spec = Input(min_shape=(1, 3, 4), opt_shape=(2, 3, 4), max_shape=(3, 3, 4))
    with pytest.raises(
        ValueError, match=r"dimension 0 is asked to be 1\.\.3, but .* fixes it to 2"
    ):
        compiled(Fixed(), [spec])


def test_a_range_that_does_not_fit_the_code() -> None:
    class One(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.relu(x.view(1, 3)) + 1

    spec = Input(min_shape=(1, 3), opt_shape=(1, 3), max_shape=(3, 3))
    with pytest.raises(
        ValueError, match=r"view at test_compile\.py:\d+.*with fixed shapes it can be"
    ):
        compiled(One(), [spec])


def test_ranges_of_the_users() -> None:
    model = seeded(Convolutions)
    spec = InputTensorSpec(
        (-1, 3, -1, 32),
        torch.float32,
        shape_ranges=[((1, 3, 32, 32), (2, 3, 32, 32), (4, 3, 48, 32))],
    )
    fast = compiled(model, [spec])
    for shape in ((1, 3, 48, 32), (4, 3, 40, 32)):
        x = torch.randn(shape)
        close(fast(x), model(x))
    assert "1..2..4, 3, 32..32..48, 32" in torch_tensorrt.report(fast).engines[0]["inputs"][0]


def test_the_largest_batch() -> None:
    fast = compiled(seeded(MLP), [torch.randn(2, 8)], max_batch_size=4)
    fast(torch.randn(4, 8))
    with pytest.raises(ValueError, match=r"has shape \[5, 8\], expected f32\[1\.\.2\.\.4, 8\]"):
        fast(torch.randn(5, 8))
    with pytest.raises(ValueError, match="max_batch_size is 0"):
        compiled(seeded(MLP), [torch.randn(2, 8)], max_batch_size=0)


def test_additional_inputs_say_which_dimension_is_the_batch() -> None:
    class Columns(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.relu(x.t()) + 1

    lowerer = Lowerer.create(LowerSetting(min_acc_module_size=1))
    fast = lowerer(Columns(), [torch.randn(3, 2)], [torch.randn(3, 5)])
    x = torch.randn(3, 9)
    close(fast(x), Columns()(x))
    with pytest.raises(ValueError, match="has shape"):
        fast(torch.randn(4, 2))


def test_a_graph_that_was_traced_already() -> None:
    model, x = seeded(MLP), torch.randn(2, 8)
    for aten in (False, True):
        traced = fx.trace(model, [x], aten=aten)
        code = traced.code
        close(compiled(traced, [x], is_aten=aten)(x), model(x))
        assert traced.code == code


def test_nested_inputs_and_results() -> None:
    class Nested(nn.Module):
        def forward(self, pair, named):
            product = pair[0] @ pair[1]
            return {"product": product, "rest": [torch.relu(product) + named["bias"]]}

    inputs = [(torch.randn(2, 3), torch.randn(3, 4)), {"bias": torch.randn(4)}]
    for is_aten in (False, True):
        fast = compiled(Nested(), inputs, is_aten=is_aten, dynamic_batch=False)
        close(fast(*inputs), Nested()(*inputs))


def test_the_model_is_not_changed() -> None:
    model = seeded(Convolutions)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    x = torch.randn(1, 3, 32, 32)
    expected = model(x)
    setting = LowerSetting(customized_fuse_pass=PassManager([fold_conv_bn]))
    Lowerer.create(setting)(model, [x])
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert torch.equal(model(x), expected)


def test_modes_of_modules_are_kept() -> None:
    """A batch norm that is frozen in a model in training mode."""
    model, x = seeded(Convolutions).train(), torch.randn(2, 3, 9, 9)
    model.norm.eval()
    expected = model(x)
    for is_aten in (False, True):
        close(compiled(model, [x], is_aten=is_aten)(x), expected)
        assert [model.training, model.norm.training, model.conv.training] == [True, False, True]


def test_engines_are_trt_modules_and_copies_work() -> None:
    model, x = seeded(Spectrum), torch.randn(3, 4)
    fast = compiled(model, [x])
    assert [type(child) for child in fast.children() if hasattr(child, "engine")] == [TRTModule] * 2
    for again in (copy.deepcopy(fast), pickle.loads(pickle.dumps(fast))):
        close(again(x), model(x))


def test_precisions_change_what_engines_compute_in() -> None:
    model, x = seeded(MLP), torch.randn(3, 8)
    networks = {}
    for precision in LowerPrecision:
        fast = compiled(model, [x], lower_precision=precision)
        networks[precision.value] = torch_tensorrt.report(fast).engines[0]["network"]
        torch.testing.assert_close(fast(x), model(x), rtol=3e-2, atol=2e-2)
    assert " f16[" in networks["fp16"]
    assert " bf16[" in networks["bf16"]
    assert "f16[" not in networks["fp32"] + networks["int8"]


def test_defaults_of_the_settings() -> None:
    setting = LowerSetting()
    assert (setting.max_batch_size, setting.min_acc_module_size) == (2048, 10)
    assert (setting.lower_precision, setting.max_workspace_size) == (FP32, 1 << 30)
    assert (setting.explicit_batch_dimension, setting.dynamic_batch) == (True, True)
    assert (setting.opt_profile_replica, setting.cuda_graph_batch_size) == (8, -1)
    names = [each.__name__ for each in setting.lower_basic_fuse_pass.passes]  # type: ignore[attr-defined]
    assert names == ["fuse_permute_matmul", "fuse_permute_linear"]
    assert LowerSetting().customized_fuse_pass is not setting.customized_fuse_pass


def test_ten_ops_are_the_fewest_by_default() -> None:
    x = torch.randn(2, 8)
    assert engines(fx.compile(seeded(MLP), [x])) == 0
    assert engines(fx.compile(seeded(MLP), [x], min_acc_module_size=6)) == 1
    close(fx.compile(seeded(MLP), [x])(x), seeded(MLP)(x))


def test_passes_before_and_behind_the_lowering() -> None:
    seen: dict[str, list[str]] = {}

    def look(name: str) -> Any:
        def keep(module: torch.fx.GraphModule) -> None:
            seen[name] = targets(module.graph)

        return keep

    setting = LowerSetting(
        min_acc_module_size=1,
        lower_basic_fuse_pass=PassManager([look("first")]),
        customized_fuse_pass=look("second"),
        lowered_pass=look("lowered"),
    )
    Lowerer.create(setting)(seeded(MLP), [torch.randn(2, 8)])
    assert list(seen) == ["first", "second", "lowered"]
    assert seen["first"] == seen["second"]
    assert "aten.linear.default" in seen["lowered"]


def test_a_pass_that_changes_results_is_refused() -> None:
    class Sum(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + 1

    for is_aten in (False, True):
        setting = LowerSetting(customized_fuse_pass=replaced, is_aten=is_aten)
        if is_aten:
            setting.customized_fuse_pass = _minus
        with pytest.raises(
            RuntimeError, match=r"pass (replaced|_minus) changes result 0 by up to 2"
        ):
            Lowerer.create(setting)(Sum(), [torch.randn(2)])


def _minus(module: torch.fx.GraphModule) -> None:
    for node in module.graph.nodes:
        if node.target is torch.ops.aten.add.Tensor:
            node.target = torch.ops.aten.sub.Tensor
    module.recompile()


def test_how_far_a_pass_may_change_results() -> None:
    def tilt(module: torch.fx.GraphModule) -> None:
        (node,) = [n for n in module.graph.nodes if n.target is operator.add]
        node.args = (node.args[0], 1.01)
        module.recompile()

    class Sum(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + 1

    Lowerer.create(LowerSetting(customized_fuse_pass=tilt))(Sum(), [torch.randn(2)])
    strict = LowerSetting(customized_fuse_pass=tilt, correctness_atol=1e-3, correctness_rtol=0.0)
    with pytest.raises(RuntimeError, match=r"pass tilt changes result 0 by up to 0\.01"):
        Lowerer.create(strict)(Sum(), [torch.randn(2)])


def test_settings_of_the_compiler() -> None:
    fast = compiled(seeded(MLP), [torch.randn(2, 8)], torch_executed_ops={"aten::tanh"})
    assert ops_in_pytorch(fast) == {"aten::tanh": "user"}
    fast = compiled(seeded(MLP), [torch.randn(2, 8)], torch_executed_modules=[nn.GELU])
    assert ops_in_pytorch(fast) == {"aten::gelu": "user"}
    fast = compiled(seeded(MLP), [torch.randn(2, 8)], engine="reference")
    assert_one_engine(fast, "reference")


def test_an_unknown_setting_names_the_nearest() -> None:
    with pytest.raises(TypeError, match=r"min_blok_size.*min_block_size"):
        compiled(seeded(MLP), [torch.randn(2, 8)], min_blok_size=1)
    with pytest.raises(TypeError, match="max_batch"):
        LowerSetting(max_batch=1)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="preset_lowerer is 'fast', expected ''"):
        LowerSetting(preset_lowerer="fast")


def test_options_without_effect_are_accepted(capfd: pytest.CaptureFixture[str]) -> None:
    x = torch.randn(2, 8)
    fast = compiled(
        seeded(MLP),
        [x],
        explicit_batch_dimension=True,
        verbose_log=True,
        timing_cache_prefix="here",
        save_timing_cache=True,
        cuda_graph_batch_size=2,
        use_experimental_fx_rt=True,
    )
    close(fast(x), seeded(MLP)(x))
    assert "[Torch-TensorRT] - INFO" in capfd.readouterr().err


def test_what_cannot_be_traced_is_refused_with_its_line() -> None:
    with pytest.raises(NotImplementedError, match=r"models\.py:\d+ `if x\.sum\(\) > 0:`"):
        compiled(seeded(Gated), [torch.randn(3, 4)])


def test_it_is_the_fx_frontend_of_the_package() -> None:
    model, x = seeded(MLP), torch.randn(2, 8)
    fast = torch_tensorrt.compile(model, ir="fx", inputs=[x], min_acc_module_size=1)
    close(fast(x), model(x))
    with pytest.raises(ValueError, match="has shape"):
        fast(torch.randn(3, 8))
    half = torch_tensorrt.compile(
        model,
        ir="fx",
        inputs=[Input(min_shape=(1, 8), opt_shape=(2, 8), max_shape=(4, 8))],
        enabled_precisions={torch.half},
        min_block_size=1,
    )
    assert " f16[" in torch_tensorrt.report(half).engines[0]["network"]
    torch.testing.assert_close(half(x), model(x), rtol=3e-2, atol=2e-2)


class Counter(nn.Module):
    """A state that each call changes, written in place."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("count", torch.zeros(2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.count.add_(1)
        y = x.clone()
        y[:, 0] = 0
        y.mul_(self.count.size(0))
        return torch.relu(y) * self.count


@pytest.mark.parametrize("is_aten", [False, True])
def test_writes_happen_at_each_call(is_aten: bool) -> None:
    model, x = Counter(), torch.randn(3, 2)

    def nothing(module: torch.fx.GraphModule) -> torch.fx.GraphModule:
        return torch.fx.GraphModule(module, module.graph)

    setting = LowerSetting(
        min_acc_module_size=1, customized_fuse_pass=nothing, is_aten=is_aten, correctness_atol=1e-4
    )
    fast = Lowerer.create(setting)(model, [x])
    assert model.count.tolist() == [0, 0], "compiling has run the model"
    reference = Counter()
    for _ in range(3):
        close(fast(x), reference(x))


def test_both_branches_of_an_if() -> None:
    class Branches(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.cond(x.sum() > 0, lambda y: torch.relu(y) + 1, lambda y: y.exp(), (x,))

    with pytest.raises(
        NotImplementedError, match=r"test_compile\.py:\d+ .*is_aten=True; torch\.cond"
    ):
        compiled(Branches(), [torch.ones(3)])
    fast = compiled(Branches(), [torch.ones(3)], is_aten=True)
    for x in (torch.rand(3), -torch.rand(5)):
        close(fast(x), Branches()(x))


@pytest.mark.parametrize("format", ["exported_program", "torchscript"])
def test_files(format: str, tmp_path: Path) -> None:
    model, x = seeded(MLP), torch.randn(5, 8)
    path = tmp_path / ("fast.pt2" if format == "exported_program" else "fast.ts")
    torch_tensorrt.save(compiled(model, [x]), str(path), output_format=format)
    again = torch_tensorrt.load(str(path))
    again = again.module() if isinstance(again, torch.export.ExportedProgram) else again
    for batch in (1, 5, 9):
        x = torch.randn(batch, 8)
        close(again(x), model(x))
