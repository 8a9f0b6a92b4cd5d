"""One row a message: what torchtrtc says, word for word, and its exit code."""

from pathlib import Path
from typing import Any

import pytest
import torch
from cli.harness import FAILED, USAGE, torchtrtc


class Encoder(torch.nn.Module):
    """Has one method, which is not forward."""

    @torch.jit.export
    def encode(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cli messages") / "encoder.ts"
    torch.jit.script(Encoder()).save(str(path))
    return path


def said(code: int, *words: Any) -> str:
    """The message of a run that ends with `code`."""
    result = torchtrtc(*words)
    assert result.returncode == code, result.stdout + result.stderr
    assert result.stdout == ""
    return result.stderr.removeprefix("torchtrtc: ").rstrip("\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "expected INPUT, OUTPUT and input specs, got 0 arguments"),
        (["--embed-engine", "a"], "expected ENGINE and OUTPUT with --embed-engine, got 1 argument"),
        (
            ["--check-method-support=forward"],
            "expected INPUT alone with --check-method-support, got 0 arguments",
        ),
    ],
)
def test_arguments_that_are_missing(words: list[str], message: str) -> None:
    assert said(USAGE, *words) == f"{message}; -h explains them"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["cache"], "cache: expected ls, info or rm, got 0 arguments; cache -h explains them"),
        (["diff", "a"], "diff: expected two files, got 1 argument; diff -h explains them"),
    ],
)
def test_arguments_of_a_tool_that_are_missing(words: list[str], message: str) -> None:
    assert said(USAGE, *words) == message


def test_a_module_without_forward(encoder: Path, tmp_path: Path) -> None:
    shown = said(FAILED, encoder, tmp_path / "out.ts", "(1,8)")
    assert shown == "the module has no method forward"


def test_a_method_to_check_that_is_not_there(encoder: Path) -> None:
    shown = said(FAILED, "--check-method-support=decode", encoder)
    assert shown == "[capture] the module has no method 'decode', expected one of: encode"


def test_a_folder_for_a_module(tmp_path: Path) -> None:
    shown = said(FAILED, tmp_path, tmp_path / "out.ts", "(1,8)")
    assert shown == (f"cannot read '{tmp_path}': it is a folder, expected a file of torch.jit.save")


def test_a_cache_that_cannot_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHTRT_CACHE_DIR", str(Path(__file__) / "cache"))
    shown = said(FAILED, "cache", "ls")
    assert shown == "there is no engine cache: its folder is not writable"
