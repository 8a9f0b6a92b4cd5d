"""What a converter is called with besides the op's arguments."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from enum import Enum

from torch import fx

from torch_tensorrt.dynamo._settings import CompilationSettings
from torch_tensorrt.dynamo.conversion._network import INetworkDefinition

_settings: ContextVar[CompilationSettings | None] = ContextVar("settings", default=None)


class ConverterPriority(Enum):
    """HIGH: before the converter that is built in; STANDARD: where there is none."""

    STANDARD = "standard"
    HIGH = "high"


@dataclass
class ConversionContext:
    """What a converter writes into, and what it is compiled with.

    Attributes:
        net: the network; one add_* method a layer.
        compilation_settings: the settings of this compilation, read-only.
        current_node: the op as a torch.fx node, with `target`, `args`, `kwargs` and `meta`.
        requires_output_allocator: always False; engines here allocate what they return.
    """

    net: INetworkDefinition
    compilation_settings: CompilationSettings
    current_node: fx.Node
    requires_output_allocator: bool = False


@contextlib.contextmanager
def compiling(settings: CompilationSettings) -> Iterator[None]:
    """Converters and validators that run inside see these settings."""
    token = _settings.set(settings)
    try:
        yield
    finally:
        _settings.reset(token)


def current_settings() -> CompilationSettings:
    """Those of the compilation that runs; the defaults where no frontend gave any."""
    return _settings.get() or CompilationSettings()
