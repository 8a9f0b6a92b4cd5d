"""A double of the TensorRT library: what `_tensorrt` offers, for plans that double their input.

It stands in where a GPU is here and TensorRT is not: streams, memory, contexts and CUDA graphs are
then tested on the real device, and of TensorRT only the arithmetic is missing.
"""

from __future__ import annotations

from typing import Any

import torch

VERSION = "10.16.1"
programs: list[str] = []
budgets: list[int] = []


def version(engine: str) -> str:
    if engine != "tensorrt":
        raise ImportError(f"No module named {engine!r}")
    return VERSION


def build(engine: str, program: str, weights: list[Any]) -> bytes:
    del engine, weights
    programs.append(program)
    return b"y = 2 * x"


def load(engine: str, plan: Any) -> Engine:
    del engine
    assert bytes(plan) == b"y = 2 * x"
    return Engine()


class Engine:
    contexts = 0
    chosen = 100

    def tensors(self) -> list[tuple[str, str, bool, bool]]:
        return [("x", "f32", True, False), ("y", "f32", False, False)]

    def create_context(self) -> Context:
        Engine.contexts += 1
        return Context()

    def streamable_bytes(self) -> int:
        return 1000

    def budget(self) -> int:
        return self.chosen

    def automatic_budget(self) -> int:
        return 700

    def set_budget(self, size: int) -> None:
        budgets.append(size)
        self.chosen = size


class Memory:
    """Device memory that torch can look at."""

    def __init__(self, address: int, dims: list[int]) -> None:
        self.__cuda_array_interface__ = {
            "shape": tuple(dims),
            "typestr": "<f4",
            "data": (address, False),
            "version": 3,
        }


class Context:
    def __init__(self) -> None:
        self.dims: list[int] = []
        self.addresses: dict[str, int] = {}

    def set_input_shape(self, name: str, dims: list[int]) -> None:
        del name
        self.dims = dims

    def set_address(self, name: str, address: int) -> None:
        self.addresses[name] = address

    def shape(self, name: str) -> list[int]:
        del name
        return self.dims

    def enqueue(self, stream: int) -> None:
        if stream == 0:
            raise RuntimeError("the default stream makes TensorRT synchronize")
        with torch.cuda.stream(torch.cuda.ExternalStream(stream)), torch.no_grad():
            x, y = (
                torch.as_tensor(Memory(self.addresses[name], self.dims), device="cuda")
                for name in "xy"
            )
            torch.mul(x, 2, out=y)
