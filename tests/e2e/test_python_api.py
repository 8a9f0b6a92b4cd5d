"""Names, conversions and logging of the Python package."""

import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch_tensorrt
from torch_tensorrt import Device, DeviceType, Input, dtype, memory_format

LIB = Path(torch_tensorrt.__file__).parent / "lib"


def test_dtype_has_all_names() -> None:
    same = {
        "f32": ["float", "float32", "fp32"],
        "f16": ["half", "float16", "fp16"],
        "f64": ["double", "float64", "fp64"],
        "bf16": ["bfloat16"],
        "i8": ["int8"],
        "u8": ["uint8"],
        "i32": ["int", "int32"],
        "i64": ["long", "int64"],
        "b": ["bool"],
        "f8": ["float8", "fp8"],
        "f4": ["float4", "fp4"],
    }
    for name, aliases in same.items():
        for alias in aliases:
            assert getattr(dtype, alias) is getattr(dtype, name)


def test_dtype_goes_to_other_libraries_and_back() -> None:
    for ours in dtype:
        if ours is not dtype.unknown:
            assert dtype._from(ours.to(torch.dtype)) is ours
        theirs = ours.try_to(np.dtype)
        assert theirs is None or dtype._from(theirs) is ours
    assert dtype.f32 == torch.float32
    assert dtype.f32 == np.float32
    assert dtype.f32 != torch.float16
    assert dtype.bf16.to(np.dtype, use_default=True) == np.dtype("float32")
    assert dtype._from(torch.complex64, use_default=True) is dtype.f32


def test_memory_format_goes_to_torch_and_back() -> None:
    assert memory_format.contiguous is memory_format.linear
    assert memory_format.channels_last is memory_format.hwc
    for theirs in (torch.contiguous_format, torch.channels_last, torch.channels_last_3d):
        assert memory_format._from(theirs).to(torch.memory_format) is theirs
        assert memory_format._from(theirs) == theirs


def test_device_forms() -> None:
    assert Device("cuda:1") == Device("gpu:1") == Device(gpu_id=1)
    assert Device._from(torch.device("cuda", 1)) == Device(gpu_id=1)
    assert Device._from({"gpu_id": 1}) == Device(gpu_id=1)
    assert Device("dla:1", allow_gpu_fallback=True).gpu_id == 0
    assert Device().device_type is DeviceType.UNKNOWN
    assert Device("cuda:1").to(torch.device) == torch.device("cuda:1")


def test_input_of_a_tensor() -> None:
    x = torch.rand(2, 3, 4, 5).to(memory_format=torch.channels_last)
    spec = Input.from_tensor(x)
    assert spec.shape == (2, 3, 4, 5)
    assert spec.dtype == torch.float32
    assert spec.format is memory_format.channels_last
    assert spec.torch_tensor is x
    contiguous = Input.from_tensor(x, disable_memory_format_check=True)
    assert contiguous.format is memory_format.linear
    assert not Input.equivalent_spec(spec, contiguous)


def test_input_examples_lie_in_the_domain() -> None:
    spec = Input(
        min_shape=(1, 2),
        opt_shape=(3, 2),
        max_shape=(9, 2),
        dtype=torch.int64,
        tensor_domain=(5, 8),
    )
    for field, batch in (("min_shape", 1), ("opt_shape", 3), ("max_shape", 9)):
        example = spec.example_tensor(field)
        assert example.shape == (batch, 2)
        assert example.dtype == torch.int64
        assert example.min() >= 5
        assert example.max() < 8


def test_log_levels_follow_pythons() -> None:
    level = torch_tensorrt.ts.logging.get_reportable_log_level
    before = level()
    logger = logging.getLogger("of a test")
    torch_tensorrt.logging.set_level(logging.ERROR, logger)
    assert level() == torch_tensorrt.logging.Level.Error
    assert logger.level == logging.ERROR
    with torch_tensorrt.logging.graphs():
        assert level() == torch_tensorrt.logging.Level.Graph
        with torch_tensorrt.logging.internal_errors():
            assert level() == torch_tensorrt.logging.Level.InternalError
    assert level() == torch_tensorrt.logging.Level.Error
    torch_tensorrt.logging.set_level(before)


def test_log_prefix(capfd: pytest.CaptureFixture[str]) -> None:
    log = torch_tensorrt.ts.logging
    before = log.get_logging_prefix()
    log.set_logging_prefix("here: ")
    log.log(log.Level.Error, "a message")
    log.set_logging_prefix(before)
    assert "here: " in (text := capfd.readouterr().err)
    assert "a message" in text


def test_engines_are_listed_with_reasons() -> None:
    engines = {e.name: e for e in torch_tensorrt.runtime.available_engines()}
    assert engines["reference"].available
    assert engines["openvino"].version
    assert all(e.available or e.reason for e in engines.values())


def test_import_and_a_clear_error_without_any_engine(tmp_path: Path) -> None:
    for library in ("libtorchtrt_runtime.so", "libtorchtrt.so"):
        shutil.copy(LIB / library, tmp_path / library)
    code = """
import torch, torch_tensorrt
assert torch_tensorrt.runtime.available_engines() == []
try:
    torch_tensorrt.compile(torch.nn.ReLU().eval(), inputs=[torch.ones(1)], engine="openvino")
except ImportError as error:
    print(error)
"""
    environment = {**os.environ, "LD_LIBRARY_PATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "openvino" in done.stdout
    assert "pip install openvino" in done.stdout


def test_import_needs_neither_gpu_nor_openvino_package() -> None:
    code = """
import sys
sys.modules["openvino"] = None
import torch_tensorrt
print(torch_tensorrt.__version__)
"""
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == torch_tensorrt.__version__
