"""Runs functions in fresh processes, which are forked from one that has imported PyTorch.

    children.py     serves requests: a line of JSON each, answered by one

A child ends as any program does: through the interpreter's exit, with its handlers and destructors.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Ended:
    """How a child ended: its exit code (minus the signal that killed it), what it gave and printed.

    `status` is None where it did not end in time and was killed.
    """

    status: int | None
    result: Any
    output: str


class Children:
    """Processes in which nothing has run but imports."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        environment = dict(os.environ, PYTHONPATH=str(TESTS))
        self.server = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def __enter__(self) -> Children:
        return self

    def __exit__(self, *error: object) -> None:
        assert self.server.stdin
        self.server.stdin.close()
        self.server.wait()

    def run(self, function: Callable[..., Any], *arguments: Any, timeout: float = 60) -> Ended:
        """Calls a function of a module of tests/load; arguments and result are JSON."""
        assert self.server.stdin
        assert self.server.stdout
        output, result = self.folder / "output", self.folder / "result"
        result.unlink(missing_ok=True)
        request = {
            "module": Path(function.__code__.co_filename).stem,
            "function": function.__name__,
            "arguments": arguments,
            "timeout": timeout,
            "output": str(output),
            "result": str(result),
        }
        print(json.dumps(request), file=self.server.stdin, flush=True)
        status = json.loads(self.server.stdout.readline())
        value = json.loads(result.read_text()) if result.exists() else None
        return Ended(status, value, output.read_text(errors="replace"))

    def result(self, function: Callable[..., Any], *arguments: Any, timeout: float = 60) -> Any:
        """What the function gives in a child that ends well."""
        ended = self.run(function, *arguments, timeout=timeout)
        assert ended.status == 0, f"status {ended.status}\n{ended.output}"
        return ended.result


def wait(child: int, timeout: float) -> int | None:
    """Exit code of a child, minus the signal that killed it, or None where it had to be killed."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def serve() -> dict[str, Any] | None:
    """Returns a request in the child that is to run it, None at the end of all requests."""
    for line in sys.stdin:
        request: dict[str, Any] = json.loads(line)
        child = os.fork()
        if child == 0:
            output = os.open(request["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(output, 1)
            os.dup2(output, 2)
            return request
        print(json.dumps(wait(child, request["timeout"])), flush=True)
    return None


def main() -> None:
    for name in ("pytest", "torch_tensorrt", "torch.export", "torch._dynamo", "e2e.checks"):
        importlib.import_module(name)
    import torch

    torch.set_grad_enabled(False)
    request = serve()
    if request is None:
        return
    function = getattr(importlib.import_module("load." + request["module"]), request["function"])
    result = function(*request["arguments"])
    Path(request["result"]).write_text(json.dumps(result))


if __name__ == "__main__":
    main()
