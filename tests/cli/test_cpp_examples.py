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
