"""Docstrings, code blocks of the docs, and the examples: all of them run."""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch_tensorrt
from torch_tensorrt._program import decompositions
from torch_tensorrt.dynamo.lowering import passes

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(
    r"(?:^<!-- the block needs (\w+) -->\n)?^```python\n(.*?)^```", re.MULTILINE | re.DOTALL
)


@pytest.fixture(autouse=True)
def _unregistered_after(monkeypatch: pytest.MonkeyPatch, forgotten_converters: None) -> None:
    """What an example registers is gone before the other tests."""
    monkeypatch.setattr(decompositions, "_registered", {})
    monkeypatch.setattr(passes, "_passes", [])


def pages() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def modules() -> list[str]:
    found = pkgutil.walk_packages(torch_tensorrt.__path__, "torch_tensorrt.")
    private = ("torch_tensorrt._C", "torch_tensorrt._cli")
    return ["torch_tensorrt", *(m.name for m in found if m.name not in private)]


@pytest.mark.parametrize("name", modules())
def test_docstrings(name: str) -> None:
    module = importlib.import_module(name)
    with torch.enable_grad():
        result = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert result.failed == 0


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_code_blocks_of_a_page(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of one page share their names, in order, as a reader would type them."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__page__"}
    text, left_out = page.read_text(), []
    for match in BLOCK.finditer(text):
        module, code = match.groups()
        if module and importlib.util.find_spec(module) is None:
            left_out.append(module)
            continue
        line = text[: match.start(2)].count("\n")
        exec(compile("\n" * line + code, str(page), "exec"), names)
    if left_out:
        pytest.skip(f"{len(left_out)} block not run, the others passed: no module {left_out[0]}")


def test_public_names_have_docstrings() -> None:
    for owner in (torch_tensorrt, torch_tensorrt.ts, torch_tensorrt.runtime):
        for name in owner.__all__:
            if not name.startswith("__"):
                assert getattr(owner, name).__doc__, f"{owner.__name__}.{name} has no docstring"


def test_links_lead_somewhere() -> None:
    for page in pages():
        prose = re.sub(r"`[^`]*`", "", page.read_text())
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", prose):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_quoted_sources_are_current() -> None:
    """A C++ block that begins with `// <file>` stands in that file, word for word."""
    for page in pages():
        for path, code in re.findall(r"```cpp\n// (\S+)\n(.*?)```", page.read_text(), re.DOTALL):
            assert code in (ROOT / path).read_text(), (
                f"{page.name} quotes what {path} no longer has"
            )


def test_generated_tables_are_current() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "gen_docs.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def result_of(example: str) -> str:
    """What it prints from "Result" on."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / example / "main.py")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "2"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout[done.stdout.index("\nResult") :]


@pytest.mark.parametrize(
    "example",
    ["01_sentence_embeddings", "02_voice_activity", "05_fx_stages", "06_custom_converter"],
)
def test_python_example(example: str) -> None:
    result = result_of(example)
    difference = re.search(r"largest difference.*?(\d\.\de[-+]\d+)", result)
    assert difference, result
    assert float(difference[1]) <= 1e-4


def test_example_in_eight_bits() -> None:
    result = result_of("08_int8")
    cosine = re.search(r"smallest cosine +(\d\.\d+)", result)
    assert cosine, result
    assert float(cosine[1]) >= 0.98
