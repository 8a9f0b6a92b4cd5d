"""One test a message: ops that no engine takes, and files."""

import re
from pathlib import Path

import pytest
import torch
import torch_tensorrt

X = torch.rand(4, 4)


class Singular(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(torch.linalg.svdvals(torch.relu(x)))


def test_full_compilation_names_the_op_and_its_place() -> None:
    message = r"(?s)aten::linalg_svdvals.*test_compile_errors\.py"
    with pytest.raises(NotImplementedError, match=message):
        torch_tensorrt.compile(Singular(), ir="ts", inputs=[X], require_full_compilation=True)


def test_full_compilation_counts_and_names_each_place_once() -> None:
    class Imaginary(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.relu(x.to(torch.complex64).real)

    with pytest.raises(NotImplementedError) as refused:
        torch_tensorrt.compile(Imaginary(), ir="ts", inputs=[X], require_full_compilation=True)
    first, *rest = re.sub(r"\.py:\d+", ".py", str(refused.value)).splitlines()
    assert first == (
        "[partitioning] require_full_compilation is set, but the model becomes 1 engine with 2 "
        "kinds of ops in PyTorch:"
    )
    assert (
        "  aten::to.dtype at test_compile_errors.py: no engine has the dtype ComplexFloat" in rest
    )


def test_conversion_of_a_method_names_the_op() -> None:
    with pytest.raises(NotImplementedError, match=r"aten::linalg_svdvals"):
        torch_tensorrt.convert_method_to_trt_engine(Singular(), ir="ts", inputs=[X])
    # torch.export takes the op apart.
    with pytest.raises(NotImplementedError, match=r"aten::_linalg_svd at test_compile_errors\.py"):
        torch_tensorrt.convert_method_to_trt_engine(Singular(), inputs=[X])


def test_op_support_is_false_and_says_why(capfd: pytest.CaptureFixture[str]) -> None:
    with torch_tensorrt.logging.info():
        assert not torch_tensorrt.ts.check_method_op_support(torch.jit.script(Singular()))
    assert "aten::linalg_svdvals" in capfd.readouterr().err


def test_compilation_says_in_one_line_what_happened(capfd: pytest.CaptureFixture[str]) -> None:
    with torch_tensorrt.logging.info():
        torch_tensorrt.compile(Singular(), ir="ts", inputs=[X], min_block_size=1)
    lines = [line for line in capfd.readouterr().err.splitlines() if "of 3 ops" in line]
    assert len(lines) == 1
    assert "aten::linalg_svdvals x1" in lines[0]


def test_report_of_a_module_that_was_not_compiled() -> None:
    with pytest.raises(ValueError, match="Singular has no report, expected a module compiled by"):
        torch_tensorrt.report(Singular())


def test_load_without_a_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no file '.*nothing\.ts', expected one that"):
        torch_tensorrt.load(tmp_path / "nothing.ts")


def test_load_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "text.ts"
    path.write_text("hello")
    with pytest.raises(ValueError, match="is neither a TorchScript module nor an exported program"):
        torch_tensorrt.load(path)


def test_save_without_a_path() -> None:
    with pytest.raises(ValueError, match="file_path is empty"):
        torch_tensorrt.save(torch.jit.script(Singular()))


def test_save_of_a_module_that_is_no_script(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"module is a Singular, expected what torch_tensorrt\.compile gave"
    ):
        torch_tensorrt.save(Singular(), tmp_path / "x.ts")


def test_save_in_an_unknown_format(tmp_path: Path) -> None:
    script = torch.jit.script(Singular())
    with pytest.raises(ValueError, match="output_format is 'onnx', expected one of"):
        torch_tensorrt.save(script, tmp_path / "x.ts", output_format="onnx")


def test_engine_bytes_that_are_damaged() -> None:
    relu = torch.jit.script(torch.nn.ReLU())
    engine = torch_tensorrt.convert_method_to_trt_engine(relu, inputs=[X], engine="openvino")
    for damaged in (b"", engine[:40], engine[:-1], b"\x00" + engine[1:]):
        with pytest.raises(RuntimeError):
            torch_tensorrt.ts.embed_engine_in_new_module(damaged)
    flipped = bytearray(engine)
    flipped[len(engine) // 2] ^= 1
    with pytest.raises(RuntimeError):
        torch_tensorrt.ts.embed_engine_in_new_module(bytes(flipped))
