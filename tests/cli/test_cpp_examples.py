"""The C++ examples, built as projects of their own and run."""

import os
import subprocess
import sys
from pathlib import Path

import torch
import torch_tensorrt

EXAMPLES = Path(__file__).parents[2] / "examples"
PACKAGE = Path(torch_tensorrt.__file__).parent


def run(*command: object) -> str:
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent), "OMP_NUM_THREADS": "2"}
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(example: str, folder: Path) -> Path:
    cmake, ninja = (Path(sys.executable).parent / name for name in ("cmake", "ninja"))
    run(
        cmake, "-G", "Ninja", "-S", EXAMPLES / example, "-B", folder,
        f"-DCMAKE_MAKE_PROGRAM={ninja}",
        f"-DPython_EXECUTABLE={sys.executable}",
        f"-Dtorchtrt_ROOT={PACKAGE}",
    )  # fmt: skip
    run(cmake, "--build", folder)
    return folder / example


def test_deploy(tmp_path: Path) -> None:
    run(sys.executable, EXAMPLES / "03_cpp_deploy" / "prepare.py", tmp_path)
    program = build("03_cpp_deploy", tmp_path / "build")
    shown = run(program, tmp_path / "model.ts", tmp_path / "expected.pt")
    assert "the same numbers as PyTorch" in shown
    libraries = run("ldd", program)
    assert "libpython" not in libraries
    assert "libtorchtrt.so" not in libraries


def test_compile(tmp_path: Path) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.GELU(), torch.nn.Linear(16, 4))
    torch.jit.script(model.eval()).save(str(tmp_path / "model.ts"))
    program = build("04_cpp_compile", tmp_path / "build")
    shown = run(program, tmp_path / "model.ts", tmp_path / "compiled.ts", 2, 8)
    assert "1 engine" in shown
    x = torch.randn(2, 8)
    torch.testing.assert_close(torch.jit.load(str(tmp_path / "compiled.ts"))(x), model(x))


class Capped(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(8, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.ops.cpplib.soft_cap(self.linear(x), 0.5)


def test_converter_from_a_library(tmp_path: Path) -> None:
    library = build("07_cpp_converter", tmp_path / "build").with_suffix(".so")
    torch.ops.load_library(str(library))
    model, x = Capped().eval(), torch.randn(2, 8)
    torch.jit.script(model).save(str(tmp_path / "model.ts"))
    cli = Path(sys.executable).parent / "torchtrtc"
    out = tmp_path / "compiled.ts"
    shown = run(
        cli, "--info", "--custom-converters", library, "--min-block-size", 1,
        tmp_path / "model.ts", out, "(2,8)",
    )  # fmt: skip
    assert "2 of 2 ops" in shown
    torch.testing.assert_close(torch.jit.load(str(out))(x), model(x), rtol=1e-4, atol=1e-5)
    for ir in ("ts", "dynamo", "fx"):
        fast = torch_tensorrt.compile(model, ir=ir, inputs=[x], min_block_size=1)
        assert torch_tensorrt.report(fast).in_pytorch == []
        torch.testing.assert_close(fast(x), model(x), rtol=1e-4, atol=1e-5)
