"""What a converter is called with besides the op's arguments."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from torch import fx

from torch_tensorrt._settings import CompilationSettings
from torch_tensorrt.dynamo.conversion._network import INetworkDefinition


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
