"""One test a message: what Python's own layer refuses."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch_tensorrt
from torch_tensorrt._settings import CompilationSettings
from torch_tensorrt.fx.input_tensor_spec import InputTensorSpec
from torch_tensorrt.fx.lower_setting import LowerSetting
from torch_tensorrt.fx.quantization.observers import HistogramObserver, MovingAverageObserver

MODEL = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU()).eval()
X = torch.ones(2, 4)


def freeze() -> None:
    CompilationSettings().min_block_size = 3


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (
            lambda: torch_tensorrt.Device("cuda:0").to(int),
            TypeError,
            "<class 'int'> is no kind of device, expected torch.device",
        ),
        (
            lambda: torch_tensorrt.Input(shape="1,2"),
            ValueError,
            "shape is '1,2', expected a tuple of sizes",
        ),
        (
            lambda: torch_tensorrt.Input(profiles=[]),
            ValueError,
            "profiles is empty, expected at least one dict with min, opt and max",
        ),
        (
            lambda: torch_tensorrt.compile(MODEL, ir="fx", inputs=[X], kwarg_inputs={"x": X}),
            ValueError,
            "kwarg_inputs are given, which ir='fx' does not take; use ir='dynamo'",
        ),
        (
            lambda: torch_tensorrt.dtype._from(torch.complex64),
            TypeError,
            "torch.complex64 has no counterpart among torch_tensorrt.dtype: ",
        ),
        (
            lambda: torch_tensorrt.memory_format._from(torch.preserve_format),
            TypeError,
            "has no counterpart among torch_tensorrt.memory_format: ",
        ),
        (freeze, AttributeError, "setting 'min_block_size' cannot change after compiling"),
        (
            lambda: InputTensorSpec.from_tensors_with_dynamic_batch_size([X], (4, 2, 8)),
            ValueError,
            "batch_size_range is (4, 2, 8), expected 0 <= min <= opt <= max",
        ),
        (
            lambda: LowerSetting(max_batch_size=0),
            ValueError,
            "max_batch_size is 0, expected at least 1",
        ),
        (
            lambda: MovingAverageObserver(momentum=1),
            ValueError,
            "momentum is 1, expected 0 <= momentum < 1",
        ),
        (
            lambda: HistogramObserver(percentile=0),
            ValueError,
            "percentile is 0, expected 0 < percentile <= 100",
        ),
        (
            lambda: torch_tensorrt.set_device(99),
            ValueError,
            "GPU id is 99, expected one of the 0 GPUs that PyTorch sees on this machine",
        ),
    ],
)
def test_what_is_refused(call: Callable[[], object], kind: type[Exception], message: str) -> None:
    if "GPU" in message and torch.cuda.is_available():
        message = "GPU id is 99, expected one of the "
    with pytest.raises(kind) as refused:
        call()
    assert message in str(refused.value)


def test_extra_files_of_an_aoti_package(tmp_path: Path) -> None:
    fast = torch_tensorrt.compile(MODEL, inputs=[X], min_block_size=1)
    message = "extra_files are given, which output_format 'aot_inductor' cannot hold"
    with pytest.raises(ValueError, match=message):
        torch_tensorrt.save(
            fast, tmp_path / "x.pt2", output_format="aot_inductor", extra_files={"a": "b"}
        )


def test_what_is_no_exported_program() -> None:
    message = (
        r", expected a torch\.export\.ExportedProgram; torch_tensorrt\.dynamo\.trace makes one"
    )
    with pytest.raises((TypeError, ValueError), match=message):
        torch_tensorrt.dynamo.compile(MODEL, inputs=[X])
    fast = torch_tensorrt.compile(MODEL, inputs=[X], min_block_size=1)
    with pytest.raises((TypeError, ValueError), match=message):
        torch_tensorrt.dynamo.refit_module_weights(fast, MODEL)
