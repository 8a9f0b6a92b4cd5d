"""Programs of one line, and what the report says of their ops."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
import torch
import torch_tensorrt
from torch_tensorrt import Input

NAMES = "xyzuvw"
PLACE = r" at <string>:\d+: "


def dynamic(*dims: int | tuple[int, int, int]) -> Input:
    """An input; a dimension is a size, or its smallest, usual and largest one."""
    shapes = zip(*((d,) * 3 if isinstance(d, int) else d for d in dims), strict=True)
    low, usual, high = map(list, shapes)
    return Input(min_shape=low, opt_shape=usual, max_shape=high)


def scripted(body: str, *inputs: Any) -> Any:
    """A function of x, y, z, ..: one expression, or lines of TorchScript."""
    kinds = {int: "int", float: "float", list: "List[int]"}
    names = zip(NAMES, inputs, strict=False)
    parameters = ", ".join(f"{name}: {kinds.get(type(i), 'Tensor')}" for name, i in names)
    lines = body.strip().split("\n") if "return " in body else [f"return {body}"]
    source = f"def program({parameters}):\n" + "".join(f"    {line}\n" for line in lines)
    return torch.jit.CompilationUnit(source).program


def example(value: Any) -> Any:
    """What is passed for it in a call."""
    return value.example_tensor("opt_shape") if isinstance(value, Input) else copy.copy(value)


def assert_same_outcome(fast: Any, eager: Any, inputs: tuple[Any, ...]) -> None:
    """Both give the same results, or neither runs."""
    values = [example(i) for i in inputs]
    try:
        expected = eager(*values)
    except RuntimeError:
        with pytest.raises(RuntimeError):
            fast(*values)
        return
    torch.testing.assert_close(fast(*values), expected, rtol=1e-4, atol=1e-5, equal_nan=True)


def reasons(body: str, *inputs: Any, run: bool = True, **settings: Any) -> dict[str, str]:
    """Why ops of the compiled program stay in PyTorch, by op; its results are those of eager.

    Without `run`, for programs whose results are random or undefined.
    """
    eager = scripted(body, *inputs)
    settings.setdefault("min_block_size", 1)
    fast = torch_tensorrt.compile(eager, ir="ts", inputs=list(inputs), **settings)
    if run:
        assert_same_outcome(fast, eager, inputs)
    nodes = torch_tensorrt.report(fast).data["nodes"]
    return {n["op"]: n["reason"] for n in nodes if n["engine"] < 0 and "reason" in n}


def refusal(op: str, body: str, *inputs: Any, **options: Any) -> str:
    """What a converter says of the op, without the stage, the op and its place."""
    found = reasons(body, *inputs, **options)
    assert op in found, found
    parts = re.fullmatch(rf"\[conversion\] {re.escape(op)}{PLACE}(.*)", found[op], re.DOTALL)
    assert parts, found[op]
    return parts[1]


def said(stage: str, sentence: str) -> str:
    """A message of that stage."""
    return f"[{stage}] {sentence}"


def compile_error(body: str, *inputs: Any, **settings: Any) -> str:
    """The ValueError of a compilation; a place in it reads <string>."""
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the caller compares it
        torch_tensorrt.compile(
            scripted(body, *inputs), ir="ts", inputs=list(inputs), min_block_size=1, **settings
        )
    return re.sub(PLACE, " at <string>: ", str(error.value))
