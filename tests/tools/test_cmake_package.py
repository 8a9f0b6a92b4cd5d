"""A project outside of this one finds the package with find_package(torchtrt) and links it."""

import shutil
import subprocess
import sys
from pathlib import Path

import torch_tensorrt

EXAMPLE = Path(__file__).parents[2] / "examples" / "03_cpp_deploy"
PACKAGE = Path(torch_tensorrt.__file__).parent


def run(*command: object) -> str:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_deployment_example_builds_outside_and_links_only_the_runtime(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "source")
    build = tmp_path / "build"
    cmake, ninja = (Path(sys.executable).parent / name for name in ("cmake", "ninja"))
    run(
        cmake, "-G", "Ninja", "-S", tmp_path / "source", "-B", build,
        f"-DCMAKE_MAKE_PROGRAM={ninja}",
        f"-DPython_EXECUTABLE={sys.executable}",
        f"-Dtorchtrt_ROOT={PACKAGE}",
    )  # fmt: skip
    run(cmake, "--build", build)
    libraries = run("ldd", build / "03_cpp_deploy")
    assert "libtorchtrt_runtime.so" in libraries
    assert "libtorchtrt.so" not in libraries
    assert "libpython" not in libraries
    assert "not found" not in libraries
