"""New weights for compiled modules."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
import torch_tensorrt
from e2e.checks import assert_close
from e2e.models import MODELS
from torch import nn
from torch_tensorrt.dynamo import refit_module_weights, trace


def other_weights(module: nn.Module) -> nn.Module:
    other = copy.deepcopy(module)
    generator = torch.Generator().manual_seed(1)
    for parameter in other.parameters():
        noise = torch.empty(parameter.shape).uniform_(0.9, 1.1, generator=generator)
        parameter.mul_(noise)
    return other


@pytest.mark.parametrize("name", ["resnet18", "minilm", "lstm"])
@pytest.mark.parametrize("in_place", [False, True])
def test_refit(name: str, in_place: bool) -> None:
    model = MODELS[name]
    module = model.module()
    new = other_weights(module)
    inputs = model.tensors(model.shapes)
    fast = torch_tensorrt.compile(module, inputs=model.fixed(), engine="openvino", min_block_size=1)
    result = refit_module_weights(
        fast,
        trace(new, inputs=model.fixed()),
        arg_inputs=inputs,
        verify_output=True,
        in_place=in_place,
    )
    assert_close(result(*inputs), new(*inputs))
    assert (result is fast) == in_place
    if not in_place:
        assert_close(fast(*inputs), module(*inputs))


def test_refit_of_plain_weights_lowers_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    module = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)).eval()
    fast = torch_tensorrt.compile(module, inputs=[(2, 4)], min_block_size=1)
    new = other_weights(module)
    program = trace(new, inputs=[(2, 4)])

    def fail(*_: object) -> None:
        raise AssertionError("the program was compiled again")

    monkeypatch.setattr("torch_tensorrt.dynamo._refit.compile_functional", fail)
    x = torch.rand(2, 4)
    assert_close(refit_module_weights(fast, program)(x), new(x))


def test_refit_of_another_model_is_refused() -> None:
    fast = torch_tensorrt.compile(nn.Linear(4, 2).eval(), inputs=[(2, 4)], min_block_size=1)
    with pytest.raises(ValueError, match=r"2, 4.*2, 5|2, 5.*2, 4"):
        refit_module_weights(fast, trace(nn.Linear(5, 2).eval(), inputs=[(2, 5)]))


def test_mutable_module_follows_its_model(tmp_path: Path) -> None:
    module = nn.Sequential(nn.Linear(4, 4), nn.ReLU()).eval()
    fast = torch_tensorrt.MutableTorchTensorRTModule(module, min_block_size=1)
    x = torch.rand(2, 4)
    assert_close(fast(x), module(x))
    fast.load_state_dict(other_weights(module).state_dict())
    assert_close(fast(x), module(x))
    module[0].weight.mul_(3)
    assert_close(fast(x), module(x))
    y = torch.rand(5, 4)
    assert_close(fast(y), module(y))
    fast.set_expected_dynamic_shape_range(
        [torch_tensorrt.Input(min_shape=(1, 4), opt_shape=(2, 4), max_shape=(8, 4))], {}
    )
    for size in (1, 3, 8):
        z = torch.rand(size, 4)
        assert_close(fast(z), module(z))
    path = tmp_path / "mutable.pt"
    torch_tensorrt.MutableTorchTensorRTModule.save(fast, path)
    again = torch_tensorrt.MutableTorchTensorRTModule.load(path)
    assert_close(again(y), module(y))
