"""Forked children, and the interpreter's exit."""

from __future__ import annotations

import atexit
import gc
import multiprocessing
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from load.children import Children, wait
from load.test_many_threads import Layers, calls, exported, hybrid, layers

SECONDS = 15
TOLD, WORKED, OTHER = 42, 0, 1


def outcome(fast: Any) -> int:
    """What a call does: works, or tells that a fork came between, or something else."""
    x = calls()[0][0]
    try:
        return WORKED if fast(x).shape[:2] == x.shape[:2] else OTHER
    except Exception as error:
        return TOLD if "do not survive a fork" in str(error) else OTHER


def outcomes_after_forks(warm: bool, busy: bool, forks: int, hang: bool) -> list[int | None]:
    """Exit codes of children that call what their parent compiled; None for one that hung."""
    fast, done = layers("ts"), threading.Event()
    if warm:
        fast(calls()[0][0])

    def keep_busy() -> None:
        while not done.is_set():
            fast(calls()[0][0])

    thread = threading.Thread(target=keep_busy)
    if busy:
        thread.start()
    codes = []
    for _ in range(forks):
        child = os.fork()
        if child == 0:
            if hang:
                time.sleep(60)
            code = outcome(fast)
            del fast
            gc.collect()
            os._exit(code)
        codes.append(wait(child, 1 if hang else SECONDS))
    done.set()
    if busy:
        thread.join()
    return codes


@pytest.mark.parametrize("state", ["cold", "warm", "busy"])
def test_forked_children_are_told(children: Children, state: str, long: bool) -> None:
    forks = 20 if long else 5
    codes = children.result(outcomes_after_forks, state != "cold", state == "busy", forks, False)
    assert codes == [TOLD] * forks


def test_forks_find_a_child_that_hangs(children: Children) -> None:
    assert children.result(outcomes_after_forks, False, False, 1, True) == [None]


def load_and_call(path: str) -> None:
    sys.exit(outcome(torch.jit.load(path)))


def loading_children(method: str, path: str, count: int) -> list[int | None]:
    """Exit codes of multiprocessing's children that load the module themselves."""
    import torch_tensorrt

    fast = layers("ts")
    torch_tensorrt.save(fast, path, output_format="torchscript")
    fast(calls()[0][0])
    context = multiprocessing.get_context(method)
    codes = []
    for _ in range(count):
        process = context.Process(target=load_and_call, args=(path,))
        process.start()
        process.join(4 * SECONDS)
        codes.append(process.exitcode)
        if process.exitcode is None:
            process.kill()
    return codes


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_children_load_the_module_themselves(
    children: Children, tmp_path: Path, method: str, long: bool
) -> None:
    count = 3 if long else 1
    codes = children.result(loading_children, method, str(tmp_path / "fast.ts"), count, timeout=200)
    assert codes == [WORKED] * count


# ---- exit ----


def call_and_wait(fast: Any) -> None:
    fast(calls()[1][0])
    threading.Event().wait()


def start_callers(function: Any) -> None:
    """Threads that still call when the interpreter ends."""
    x = calls()[1][0]

    def call_for_ever() -> None:
        while True:
            function(x)

    for _ in range(3):
        threading.Thread(target=call_for_ever, daemon=True).start()
    time.sleep(0.05)


def leave_pytorch_alone() -> None:
    start_callers(torch.jit.script(Layers().eval()))


class Cycle:
    def __init__(self, fast: Any) -> None:
        self.me, self.fast = self, fast

    def __del__(self) -> None:
        self.fast(calls()[0][0])


def leave(way: str) -> None:
    """Ends with engines alive in different places."""
    fast = exported(Path()) if way == "exported" else hybrid(Path())
    fast(calls()[0][0])
    if way in ("global", "exported"):
        sys.modules["__main__"].__dict__["kept"] = fast
    elif way == "threads":
        for _ in range(3):
            threading.Thread(target=call_and_wait, args=(fast,), daemon=True).start()
        time.sleep(0.05)
    elif way == "calling_threads":
        start_callers(fast)
    elif way == "cycle":
        Cycle(fast)
    elif way == "atexit":
        atexit.register(lambda: fast(calls()[2][0]))
    elif way == "planted":
        atexit.register(os.kill, os.getpid(), 11)


@pytest.mark.parametrize("way", ["global", "exported", "threads", "cycle", "atexit"])
def test_exit_with_live_engines(children: Children, way: str, long: bool) -> None:
    ends = [children.run(leave, way) for _ in range(100 if long else 2)]
    assert [end.status for end in ends] == [0] * len(ends), ends[-1].output


def test_threads_that_call_at_exit_end_as_those_of_pytorch(children: Children, long: bool) -> None:
    """PyTorch aborts where a daemon thread comes back from TorchScript to an interpreter that ends.

    So with an engine the exit is clean, or that abort.
    """
    text = "terminate called without an active exception"
    alone = [children.run(leave_pytorch_alone) for _ in range(10 if long else 2)]
    allowed = {0} | {end.status for end in alone if text in end.output}
    for _ in range(100 if long else 2):
        end = children.run(leave, "calling_threads")
        assert end.status in allowed, end.output
        assert end.status == 0 or text in end.output


def test_a_crash_at_exit_is_found(children: Children) -> None:
    assert children.run(leave, "planted").status == -11
