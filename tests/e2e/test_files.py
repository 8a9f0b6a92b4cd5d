"""Saved modules in a fresh process: with the package, and with nothing but the runtime library."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch_tensorrt
from e2e.checks import assert_close
from e2e.models import MODELS

RUNTIME = Path(torch_tensorrt.__file__).parent / "lib" / "libtorchtrt_runtime.so"
LOADERS = {
    "package": "import torch, torch_tensorrt; load = torch_tensorrt.load",
    "runtime": f"import torch; torch.ops.load_library({str(RUNTIME)!r}); load = torch.jit.load",
}


def run(loader: str, body: str) -> str:
    """Prints of a new Python process."""
    code = f"{LOADERS[loader]}\n{body}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    model = MODELS["lstm"]
    module = model.module()
    fast = torch_tensorrt.compile(module, ir="ts", inputs=model.ranges(), engine="openvino")
    assert model.between
    inputs = model.tensors(model.between)
    torch_tensorrt.save(fast, folder / "fast.ts")
    torch.save({"input": inputs[0], "expected": module(*inputs)}, folder / "data.pt")
    return folder


@pytest.mark.parametrize("loader", LOADERS)
def test_fresh_process_gives_the_same(saved: Path, loader: str) -> None:
    body = f"""
data = torch.load({str(saved / "data.pt")!r})
module = load({str(saved / "fast.ts")!r})
torch.save(module(data["input"]), {str(saved / "got.pt")!r})
"""
    run(loader, body)
    assert_close(torch.load(saved / "got.pt"), torch.load(saved / "data.pt")["expected"])


def test_runtime_alone_does_not_load_the_compiler(saved: Path) -> None:
    body = f"""
load({str(saved / "fast.ts")!r})
print(open("/proc/self/maps").read())
"""
    maps = run("runtime", body)
    assert "libtorchtrt_runtime.so" in maps
    assert "libtorchtrt.so" not in maps


def test_report_survives_the_file(saved: Path) -> None:
    again = torch_tensorrt.load(saved / "fast.ts")
    assert torch_tensorrt.report(again).engines[0]["plugin"] == "openvino"


def test_extra_files_survive(tmp_path: Path) -> None:
    fast = torch_tensorrt.compile(
        torch.nn.Linear(2, 2).eval(), ir="ts", inputs=[torch.ones(1, 2)], min_block_size=1
    )
    torch_tensorrt.save(fast, tmp_path / "x.ts", extra_files={"labels": "cat dog"})
    files = {"labels": ""}
    torch_tensorrt.load(tmp_path / "x.ts", extra_files=files)
    assert files["labels"] in ("cat dog", b"cat dog")


def test_saving_twice_gives_the_same_engine(saved: Path, tmp_path: Path) -> None:
    again = torch_tensorrt.load(saved / "fast.ts")
    torch_tensorrt.save(again, tmp_path / "again.ts")
    third = torch_tensorrt.load(tmp_path / "again.ts")
    data = torch.load(saved / "data.pt")
    assert torch.equal(third(data["input"]), again(data["input"]))
