# ruff: noqa: N999
"""The device that engines are built for and run on."""

from __future__ import annotations

from typing import Any

import torch

from torch_tensorrt._enums import DeviceType


class Device:
    """A CPU, a GPU or a DLA core.

    Args:
        spec: "cpu", "gpu:0", "cuda:0" or "dla:0"; without it the keywords below say the same.
        gpu_id: index of the GPU; -1: not given. A DLA core belongs to GPU 0.
        dla_core: index of the DLA core; -1: none.
        allow_gpu_fallback: whether layers that a DLA refuses may run on its GPU.
        device_type: DeviceType or its name; follows from `gpu_id` and `dla_core` where it is left
            out.

    Raises:
        ValueError: `spec` names no device, or is given together with the keywords that say the
        same.

    >>> Device("dla:1").dla_core, Device("cuda:0").device_type, Device("cpu").to(torch.device)
    (1, <DeviceType.GPU: 'gpu'>, device(type='cpu'))
    """

    device_type: DeviceType
    gpu_id: int
    dla_core: int
    allow_gpu_fallback: bool

    def __init__(
        self,
        spec: str | None = None,
        *,
        gpu_id: int = -1,
        dla_core: int = -1,
        allow_gpu_fallback: bool = False,
        device_type: DeviceType | str = DeviceType.UNKNOWN,
    ) -> None:
        self.device_type, self.gpu_id, self.dla_core = (
            DeviceType._from(device_type),
            gpu_id,
            dla_core,
        )
        self.allow_gpu_fallback = allow_gpu_fallback
        if spec is not None:
            if (gpu_id, dla_core, self.device_type) != (-1, -1, DeviceType.UNKNOWN):
                raise ValueError(
                    f"device is {spec!r} and gpu_id, dla_core or device_type too, expected one form"
                )
            self.device_type, index = _parse(spec)
            if self.device_type is DeviceType.DLA:
                self.dla_core = index
            elif self.device_type is DeviceType.GPU:
                self.gpu_id = index
        elif self.device_type is DeviceType.UNKNOWN and dla_core != -1:
            self.device_type = DeviceType.DLA
        elif self.device_type is DeviceType.UNKNOWN and gpu_id != -1:
            self.device_type = DeviceType.GPU
        if self.device_type is DeviceType.DLA:
            self.gpu_id = 0

    @classmethod
    def _from(cls, other: object) -> Device:
        """From a Device, a torch.device, a spec, or a dict with Device's keywords."""
        if isinstance(other, Device):
            return other
        if isinstance(other, torch.device):
            return cls("cpu") if other.type == "cpu" else cls(f"{other.type}:{other.index or 0}")
        if isinstance(other, str):
            return cls(other)
        if isinstance(other, dict):
            return cls(**other)
        raise TypeError(
            f"device is {other!r}, expected torch_tensorrt.Device, torch.device, str or dict"
        )

    def to(self, library: Any) -> torch.device:
        """The device as a torch.device (`library` must be torch.device); a DLA core is its GPU."""
        if library is not torch.device:
            raise TypeError(f"{library!r} is no kind of device, expected torch.device")
        if self.device_type in (DeviceType.CPU, DeviceType.UNKNOWN):
            return torch.device("cpu")
        return torch.device("cuda", max(self.gpu_id, 0))

    def _settings(self) -> dict[str, bool | int | str]:
        """The compile settings that this device stands for."""
        settings: dict[str, bool | int | str] = {
            "device_type": self.device_type.value,
            "allow_gpu_fallback": self.allow_gpu_fallback,
        }
        if self.gpu_id >= 0:
            settings["gpu_id"] = self.gpu_id
        if self.dla_core >= 0:
            settings["dla_core"] = self.dla_core
        return settings

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(tuple(vars(self).values()))

    def __repr__(self) -> str:
        return (
            f"Device(device_type={self.device_type.name}, gpu_id={self.gpu_id}, "
            f"dla_core={self.dla_core}, allow_gpu_fallback={self.allow_gpu_fallback})"
        )


def _parse(spec: str) -> tuple[DeviceType, int]:
    kind, _, index = spec.partition(":")
    if kind.lower() not in ("cpu", "gpu", "cuda", "dla") or (index and not index.isdigit()):
        raise ValueError(
            f"device is {spec!r}, expected 'cpu', 'gpu:<index>', 'cuda:<index>' or 'dla:<core>'"
        )
    return DeviceType._from(kind), int(index or 0)
