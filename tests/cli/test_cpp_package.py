"""find_package(torchtrt): a project outside of this one, on what `cmake --install` lays down.

That is the layout of the wheel, which is made by the same install rules.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch_tensorrt
from cli.harness import Net

PROJECT = Path(__file__).parent / "cpp_project"
BUILD = Path(torch_tensorrt.__file__).parents[2]
CMAKE = Path(sys.executable).parent / "cmake"
NINJA = Path(sys.executable).parent / "ninja"


def run(*command: object, **environment: str) -> str:
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False,
        env={**os.environ, "OMP_NUM_THREADS": "2", **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder on whose path the package can be imported: the build's files, and Python's."""
    folder = tmp_path_factory.mktemp("site")
    run(CMAKE, "--install", BUILD, "--prefix", folder)
    sources = Path(torch_tensorrt.__file__).resolve().parent
    for entry in sources.iterdir():  # what wheel.packages adds
        target = folder / "torch_tensorrt" / entry.name
        if not target.exists():
            target.symlink_to(entry)
    return folder


@pytest.fixture(scope="module")
def programs(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    build = tmp_path_factory.mktemp("outside")
    prefix = run(
        sys.executable, "-c",
        "import torch_tensorrt; print(torch_tensorrt.utils.cmake_prefix_path)",
        PYTHONPATH=str(installed),
    ).strip()  # fmt: skip
    assert Path(prefix) == installed / "torch_tensorrt" / "share" / "cmake"
    run(
        CMAKE, "-G", "Ninja", "-S", PROJECT, "-B", build, f"-DCMAKE_MAKE_PROGRAM={NINJA}",
        f"-DPython_EXECUTABLE={sys.executable}", f"-DCMAKE_PREFIX_PATH={prefix}",
    )  # fmt: skip
    cache = (build / "CMakeCache.txt").read_text()
    assert f"torchtrt_DIR:PATH={prefix}/torchtrt" in cache
    run(CMAKE, "--build", build)
    return build


def test_one_program_compiles_and_one_without_compiler_runs(
    programs: Path, installed: Path, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    model, x = Net().eval(), torch.randn(2, 8)
    torch.jit.script(model).save(str(tmp_path / "model.ts"))
    torch.save(x, tmp_path / "x.pt")
    compiled, first, second = (tmp_path / name for name in ("fast.ts", "first.pt", "second.pt"))
    words = [tmp_path / "model.ts", compiled, tmp_path / "x.pt", first]
    shown = run(programs / "compile_model", *words)
    assert shown.startswith(f"headers {torch_tensorrt.__version__}\nTorch-TensorRT: ")
    run(programs / "run_model", compiled, tmp_path / "x.pt", second)
    torch.testing.assert_close(torch.load(first), model(x))
    assert torch.equal(torch.load(first), torch.load(second))


def test_what_the_programs_link(programs: Path, installed: Path) -> None:
    compiler, runtime = (run("ldd", programs / name) for name in ("compile_model", "run_model"))
    assert re.search(r"libtorchtrt\.so => " + re.escape(str(installed)), compiler)
    assert re.search(r"libtorchtrt_runtime\.so => " + re.escape(str(installed)), runtime)
    assert "libtorchtrt.so" not in runtime
    for libraries in (compiler, runtime):
        assert "libpython" not in libraries
        assert "not found" not in libraries
