"""`make peers`: peers run in turn, a failing one is a cell, and the page says what was measured."""

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "benchmarks" / "peers.py"
MODELS, PEERS = ("crepe",), ("eager", "openvino", "ours")


def run(folder: Path, *arguments: str) -> str:
    shutil.copy(ROOT / "docs" / "benchmarks.md", folder / "page.md")
    command = [sys.executable, TOOL, "--json", folder / "peers.json", "--doc", folder / "page.md"]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def cells(page: str, name: str, table: int) -> list[str]:
    """A model's row in one of the page's tables."""
    rows = re.findall(rf"^\| {name} \|(.*)\|$", page, re.MULTILINE)
    return [cell.strip() for cell in rows[table].split("|")]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("peers")
    run(
        folder,
        *("--models", ",".join(MODELS), "--peers", ",".join(PEERS)),
        *("--quick", "--batch", "1"),
    )
    return folder


def test_every_peer_runs_and_is_right(measured: Path) -> None:
    results = json.loads((measured / "peers.json").read_text())
    assert list(results["models"]) == list(MODELS)
    for name in MODELS:
        rows = results["models"][name]["1"]
        assert list(rows) == list(PEERS)
        for row in rows.values():
            assert row["error"] < 1e-4
            assert row["ms"]["calls"] >= 3
            assert row["peak_mb"] > 0
    assert results["models"]["crepe"]["1"]["ours"]["engines"] == 1


def test_the_page_shows_what_the_results_hold(measured: Path) -> None:
    results = json.loads((measured / "peers.json").read_text())
    page = (measured / "page.md").read_text()
    for name in MODELS:
        rows = results["models"][name]["1"]
        shown = cells(page, name, 0)
        for cell, peer in zip(shown, PEERS, strict=False):
            assert float(cell.split()[0]) == pytest.approx(rows[peer]["ms"]["median"], rel=0.05)
        best = min(rows[peer]["ms"]["median"] for peer in PEERS if peer != "ours")
        assert float(shown[-1]) == pytest.approx(best / rows["ours"]["ms"]["median"], abs=0.006)


def test_what_was_measured_is_not_measured_again(measured: Path) -> None:
    before = (measured / "peers.json").read_text()
    out = run(measured, "--models", "crepe", "--peers", "eager,ours", "--quick", "--batch", "1")
    assert "crepe x1" not in out
    assert (measured / "peers.json").read_text() == before


def test_a_peer_that_fails_is_a_cell_and_the_run_goes_on(tmp_path: Path) -> None:
    out = run(tmp_path, "--models", "crepe", "--peers", "eager", "--batch", "1", "--limit", "0.01")
    assert "eager failed: no result after 0.01 s" in out
    assert cells((tmp_path / "page.md").read_text(), "crepe", 0)[0].startswith("failed: no result")


@pytest.fixture(scope="module")
def tool() -> Any:
    sys.path.insert(0, str(TOOL.parent))
    spec = importlib.util.spec_from_file_location("peers", TOOL)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def row(ms: float, compile_s: float) -> dict[str, Any]:
    return {"ms": {"median": ms, "iqr": 0.0, "calls": 9}, "compile_s": compile_s}


def test_gates_name_the_models_that_miss_them(tool: Any) -> None:
    even = {"eager": row(4, 0), "openvino": row(2, 1), "ours": row(2, 1.4)}
    slow = {"eager": row(1, 0), "openvino": row(4, 1), "ours": row(2, 1.6)}
    failed = {"eager": row(4, 0), "openvino": {"message": "no"}, "ours": {"missing": "x"}}
    models = {name: {"1": rows} for name, rows in [("a", even), ("b", slow), ("c", failed)]}
    best, native, eager, slower, compiling = tool.gates(models).splitlines()[2:]
    assert "| 1 of 2 | b 0.50 (eager) |" in best
    assert "| 1.41 |  |" in native
    assert "| 1.00 | **missed** |" in eager
    assert "| 1 of 2 | b 0.50 |" in slower
    assert "| 1 of 2 | b 1.60 |" in compiling


def test_gates_without_results_do_not_hold(tool: Any) -> None:
    assert tool.gates({}).count("not measured") == 5
