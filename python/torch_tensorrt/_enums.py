"""Element types, memory formats, devices, capabilities, platforms, and their counterparts."""

from __future__ import annotations

import platform
import sys
from enum import Enum
from typing import Any

import numpy as np
import torch


class dtype(Enum):  # noqa: N801  the public name
    """Element type of a tensor, named as in the Network: f32, f16, bf16, i64, ...

    Compares equal to the same type of PyTorch, NumPy and TensorRT, and converts to and from them.

    >>> dtype.half == torch.float16, dtype._from(torch.int64), dtype.f32.to(torch.dtype)
    (True, <dtype.i64: 'i64'>, torch.float32)
    """

    unknown = "unknown"
    u8 = "u8"
    i8 = "i8"
    i32 = "i32"
    i64 = "i64"
    f16 = "f16"
    f32 = "f32"
    f64 = "f64"
    b = "b"
    bf16 = "bf16"
    f8 = "f8"
    f4 = "f4"

    uint8 = "u8"
    int8 = "i8"
    int32 = "i32"
    int = "i32"
    int64 = "i64"
    long = "i64"
    half = "f16"
    float16 = "f16"
    fp16 = "f16"
    float = "f32"
    float32 = "f32"
    fp32 = "f32"
    double = "f64"
    float64 = "f64"
    fp64 = "f64"
    bfloat16 = "bf16"
    float8 = "f8"
    fp8 = "f8"
    float4 = "f4"
    fp4 = "f4"
    bool = "b"

    @classmethod
    def try_from(cls, other: object, use_default: object = False) -> dtype | None:
        """The dtype that `other` stands for, or None.

        `other` is a dtype of PyTorch, NumPy or TensorRT, or a name. With `use_default`, what has no
        counterpart is f32.
        """
        if isinstance(other, dtype):
            return other
        if isinstance(other, str):
            found = cls.__members__.get(other)
        elif isinstance(other, torch.dtype):
            found = _FROM_TORCH.get(other)
        elif _is_tensorrt(other, "DataType"):
            found = next(
                (d for d, n in _TENSORRT_DTYPES.items() if n == getattr(other, "name", "")), None
            )
        else:
            found = _from_numpy(other)
        return cls.f32 if found is None and use_default else found

    @classmethod
    def _from(cls, other: object, use_default: object = False) -> dtype:
        """Like `try_from`, but an unknown `other` raises TypeError."""
        found = cls.try_from(other, use_default)
        if found is None:
            raise TypeError(
                f"{other!r} has no counterpart among torch_tensorrt.dtype: "
                f"{', '.join(d.name for d in cls)}"
            )
        return found

    def try_to(self, library: Any, use_default: object = False) -> Any:
        """The type as `library` has it, or None.

        `library` is torch.dtype, numpy.dtype, tensorrt.DataType or torch_tensorrt.dtype. With
        `use_default`, what has no counterpart is the library's f32.
        """
        if library is dtype:
            return self
        default: Any
        found: Any
        if library is torch.dtype:
            default, found = torch.float32, _TO_TORCH.get(self)
        elif library is np.dtype:
            name = _NUMPY_DTYPES.get(self)
            default, found = np.dtype("float32"), np.dtype(name) if name else None
        elif _is_tensorrt(library, "DataType"):
            default, found = library.FLOAT, getattr(library, _TENSORRT_DTYPES.get(self, ""), None)
        else:
            raise TypeError(
                f"{library!r} is no kind of dtype, expected torch.dtype, numpy.dtype, "
                "tensorrt.DataType or torch_tensorrt.dtype"
            )
        return default if found is None and use_default else found

    def to(self, library: Any, use_default: object = False) -> Any:
        """Like `try_to`, but a type that `library` lacks raises TypeError."""
        found = self.try_to(library, use_default)
        if found is None:
            raise TypeError(f"torch_tensorrt.dtype.{self.name} has no counterpart in {library!r}")
        return found

    def __eq__(self, other: object) -> Any:
        if isinstance(other, dtype):
            return self is other
        if isinstance(other, str):
            return NotImplemented
        return self is dtype.try_from(other)

    def __hash__(self) -> Any:
        return hash(self.value)


_TO_TORCH: dict[dtype, torch.dtype] = {
    dtype.u8: torch.uint8,
    dtype.i8: torch.int8,
    dtype.i32: torch.int32,
    dtype.i64: torch.int64,
    dtype.f16: torch.float16,
    dtype.f32: torch.float32,
    dtype.f64: torch.float64,
    dtype.b: torch.bool,
    dtype.bf16: torch.bfloat16,
    dtype.f8: torch.float8_e4m3fn,
    dtype.f4: torch.float4_e2m1fn_x2,
}
_FROM_TORCH = {theirs: ours for ours, theirs in _TO_TORCH.items()}
_NUMPY_DTYPES = {
    dtype.u8: "uint8",
    dtype.i8: "int8",
    dtype.i32: "int32",
    dtype.i64: "int64",
    dtype.f16: "float16",
    dtype.f32: "float32",
    dtype.f64: "float64",
    dtype.b: "bool",
}
_FROM_NUMPY = {name: ours for ours, name in _NUMPY_DTYPES.items()}
_TENSORRT_DTYPES = {
    dtype.u8: "UINT8",
    dtype.i8: "INT8",
    dtype.i32: "INT32",
    dtype.i64: "INT64",
    dtype.f16: "HALF",
    dtype.f32: "FLOAT",
    dtype.b: "BOOL",
    dtype.bf16: "BF16",
    dtype.f8: "FP8",
    dtype.f4: "FP4",
}


def _is_tensorrt(thing: object, name: str) -> bool:
    """Whether `thing` is tensorrt's enum `name` or a member of it, without importing tensorrt."""
    kind = thing if isinstance(thing, type) else type(thing)
    return kind.__module__.partition(".")[0].startswith("tensorrt") and kind.__name__ == name


def _from_numpy(other: object) -> dtype | None:
    if not isinstance(other, (np.dtype, type)):
        return None
    try:
        return _FROM_NUMPY.get(np.dtype(other).name)
    except TypeError:
        return None


class memory_format(Enum):  # noqa: N801  the public name
    """Order of a tensor's elements in memory; linear, hwc and dhwc are those that PyTorch has too.

    >>> memory_format._from(torch.channels_last)
    <memory_format.hwc: 'hwc'>
    """

    linear = "linear"
    chw2 = "chw2"
    hwc8 = "hwc8"
    chw4 = "chw4"
    chw16 = "chw16"
    chw32 = "chw32"
    dhwc8 = "dhwc8"
    cdhw32 = "cdhw32"
    hwc = "hwc"
    dla_linear = "dla_linear"
    dla_hwc4 = "dla_hwc4"
    hwc16 = "hwc16"
    dhwc = "dhwc"

    contiguous = "linear"
    channels_last = "hwc"
    channels_last_3d = "dhwc"

    @classmethod
    def try_from(cls, other: object) -> memory_format | None:
        """The format that `other` (of PyTorch or TensorRT, or a name) stands for, or None."""
        if isinstance(other, memory_format):
            return other
        if isinstance(other, str):
            return cls.__members__.get(other)
        if isinstance(other, torch.memory_format):
            return _FORMATS_FROM_TORCH.get(other)
        if _is_tensorrt(other, "TensorFormat"):
            return cls.__members__.get(str(getattr(other, "name", "")).lower())
        return None

    @classmethod
    def _from(cls, other: object) -> memory_format:
        """Like `try_from`, but an unknown `other` raises TypeError."""
        found = cls.try_from(other)
        if found is None:
            raise TypeError(
                f"{other!r} has no counterpart among torch_tensorrt.memory_format: "
                f"{', '.join(f.name for f in cls)}"
            )
        return found

    def try_to(self, library: Any) -> Any:
        """The format as `library` has it, or None.

        `library` is torch.memory_format, tensorrt.TensorFormat or torch_tensorrt.memory_format.
        """
        if library is memory_format:
            return self
        if library is torch.memory_format:
            return next((t for t, ours in _FORMATS_FROM_TORCH.items() if ours is self), None)
        if _is_tensorrt(library, "TensorFormat"):
            return getattr(library, self.name.upper(), None)
        raise TypeError(
            f"{library!r} is no kind of memory format, expected torch.memory_format, "
            "tensorrt.TensorFormat or torch_tensorrt.memory_format"
        )

    def to(self, library: Any) -> Any:
        """Like `try_to`, but a format that `library` lacks raises TypeError."""
        found = self.try_to(library)
        if found is None:
            raise TypeError(
                f"torch_tensorrt.memory_format.{self.name} has no counterpart in {library!r}"
            )
        return found

    def __eq__(self, other: object) -> bool:
        return self is memory_format.try_from(other) if not isinstance(other, str) else False

    def __hash__(self) -> int:
        return hash(self.value)


_FORMATS_FROM_TORCH = {
    torch.contiguous_format: memory_format.linear,
    torch.channels_last: memory_format.hwc,
    torch.channels_last_3d: memory_format.dhwc,
}


class DeviceType(Enum):
    """Kind of device of engines; UNKNOWN: the GPU for a model on CUDA, else the CPU."""

    UNKNOWN = "auto"
    CPU = "cpu"
    GPU = "gpu"
    DLA = "dla"

    @classmethod
    def _from(cls, other: object) -> DeviceType:
        """From a DeviceType, a torch.device, or a name: "cpu", "gpu", "cuda", "dla"."""
        if isinstance(other, DeviceType):
            return other
        name = (other.type if isinstance(other, torch.device) else str(other)).lower()
        if name == "cuda":
            return cls.GPU
        for kind in cls:
            if name in (kind.value, kind.name.lower()):
                return kind
        raise ValueError(f"device type is {other!r}, expected cpu, gpu, cuda or dla")


class EngineCapability(Enum):
    """Kind of TensorRT runtime that engines are built for."""

    STANDARD = "standard"
    SAFETY = "safety"
    DLA_STANDALONE = "dla_standalone"


class Platform(Enum):
    """Operating system and processor that an engine is built for."""

    LINUX_X86_64 = "linux_x86_64"
    LINUX_AARCH64 = "linux_aarch64"
    WIN_X86_64 = "windows_x86_64"
    WIN_ARM64 = "windows_arm64"
    UNKNOWN = "unknown"

    @classmethod
    def current_platform(cls) -> Platform:
        """The platform of this process.

        >>> Platform.current_platform() is Platform.UNKNOWN
        False
        """
        machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(
            platform.machine().lower(), platform.machine().lower()
        )
        return {
            ("linux", "x86_64"): cls.LINUX_X86_64,
            ("linux", "aarch64"): cls.LINUX_AARCH64,
            ("win32", "x86_64"): cls.WIN_X86_64,
            ("win32", "aarch64"): cls.WIN_ARM64,
        }.get((sys.platform, machine), cls.UNKNOWN)
