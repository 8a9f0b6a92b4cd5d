"""What the TensorRT plugin asks of NVIDIA's builder: programs caught on their way, as text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from torch_tensorrt import _C, _tensorrt

Program = dict[str, Any]
REGISTRY = 0xFFFFFFFF


@contextmanager
def caught(version: str) -> Iterator[list[Program]]:
    """Programs that are built inside, for a TensorRT of that version; nothing is built."""
    programs: list[Program] = []

    def build(engine: str, program: str, weights: list[memoryview]) -> bytes:
        del engine
        programs.append({**json.loads(program), "data": [bytes(w) for w in weights]})
        return b"plan"

    _C.set_foreign_library(SimpleNamespace(version=lambda engine: version, build=build))
    try:
        yield programs
    finally:
        _C.set_foreign_library(_tensorrt)


def text_of(program: Program) -> str:
    """A line a step: `%3 = network.add_activation(%2, ActivationType.RELU)`."""
    lines = []
    for kind, result, target, name, arguments in program["steps"]:
        values = [_argument(program, argument) for argument in arguments]
        owner = {0: "network", REGISTRY: "registry"}.get(target, f"%{target}")
        if kind == "set":
            lines.append(f"{owner}.{name} = {values[0]}")
        else:
            call = f"{owner}.{name}({', '.join(values)})"
            lines.append(f"%{result} = {call}" if result else call)
    for name, is_host, *points in program["profiles"]:
        what = "values" if is_host else "shape"
        lines.append(f"profile {name} {what} {' '.join(map(str, points))}")
    for name, dtype, dims in program["outputs"]:
        lines.append(f"output {name} {dtype}{dims}")
    return "\n".join(lines) + "\n"


def _argument(program: Program, argument: Any) -> str:
    if not isinstance(argument, dict):
        return json.dumps(argument)
    ((kind, value),) = argument.items()
    if kind == "weights":
        return "none" if value < 0 else _weights(program, value)
    if kind == "fields":
        texts = [
            f"{name}: {json.dumps(v) if isinstance(v, str) else _weights(program, v)}"
            for name, v in value
        ]
        return "{" + ", ".join(texts) + "}"
    if kind == "ref":
        return f"%{value}"
    if kind == "refs":
        return "[" + ", ".join(f"%{index}" for index in value) + "]"
    return ".".join(value) if kind == "enum" else str(value)


def _weights(program: Program, index: int) -> str:
    return f"w{index}:{program['weights'][index]}[{program['sizes'][index]} bytes]"
