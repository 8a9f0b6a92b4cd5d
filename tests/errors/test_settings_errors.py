"""One test a message: settings."""

import pytest
import torch
import torch_tensorrt

MODEL = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU()).eval()
INPUTS = [torch.ones(2, 4)]


def compile(**settings: object) -> None:
    torch_tensorrt.compile(MODEL, ir="ts", inputs=INPUTS, **settings)


def test_unknown_setting_names_the_nearest() -> None:
    with pytest.raises(TypeError, match=r"min_blok_size.*min_block_size"):
        compile(min_blok_size=3)


def test_unknown_setting_with_nothing_near() -> None:
    with pytest.raises(TypeError, match="xyzzy"):
        compile(xyzzy=3)


def test_wrong_type_of_a_setting() -> None:
    with pytest.raises(ValueError, match=r"'min_block_size' is '3', expected an int"):
        compile(min_block_size="3")


def test_setting_out_of_range() -> None:
    with pytest.raises(ValueError, match=r"'min_block_size' is 0, expected .* at least 1"):
        compile(min_block_size=0)


def test_setting_of_a_foreign_type() -> None:
    with pytest.raises(ValueError, match=r"'min_block_size' is 2\.5, expected"):
        compile(min_block_size=2.5)


def test_unknown_precision() -> None:
    with pytest.raises(ValueError, match=r"'enabled_precisions'.*f64"):
        compile(enabled_precisions={torch.float64})


def test_precisions_that_are_no_set() -> None:
    with pytest.raises(ValueError, match=r"'enabled_precisions' is .*, expected a set or a list"):
        compile(enabled_precisions="half")


def test_executed_op_that_is_no_op() -> None:
    with pytest.raises(ValueError, match=r"'torch_executed_ops' contains 3, expected a name"):
        compile(torch_executed_ops=[3])


def test_unknown_capability() -> None:
    with pytest.raises(ValueError, match=r"'capability' is 'fast', expected one of standard"):
        compile(capability="fast")


def test_device_that_is_none() -> None:
    with pytest.raises(ValueError, match=r"device is 'tpu:0', expected 'cpu', 'gpu:<index>'"):
        compile(device="tpu:0")


def test_device_of_a_foreign_type() -> None:
    with pytest.raises(TypeError, match=r"device is 3, expected torch_tensorrt\.Device"):
        compile(device=3)


def test_unknown_engine_names_those_there_are() -> None:
    with pytest.raises(ImportError, match=r"(?s)warpdrive.*"):
        compile(engine="warpdrive")


def test_missing_tensorrt_says_what_to_do() -> None:
    if any(
        e.name == "tensorrt" and e.available for e in torch_tensorrt.runtime.available_engines()
    ):
        pytest.skip("TensorRT runs here")
    with pytest.raises(ImportError, match="tensorrt"):
        compile(engine="tensorrt")
