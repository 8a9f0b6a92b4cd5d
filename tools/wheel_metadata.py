"""What a wheel depends on: the PyTorch and OpenVINO releases that its libraries are linked against.

Neither has a stable C++ interface, so a wheel fits exactly one PyTorch minor and one OpenVINO
release. A build takes those of the environment it is installed into; where there are none, the
pinned ones are fetched for the build.
"""

import re
import sys
import sysconfig
from collections.abc import Mapping
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

PINS = Path(__file__).resolve().parent.parent / "requirements" / "build.txt"


def installed_version(name: str) -> str | None:
    """The version in the environment that this build is for; an isolated build cannot import it."""
    path = [*sys.path, sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    found = next(iter(distributions(name=name, path=path)), None)
    return found.version if found else None


def pinned_version(name: str) -> str:
    match = re.search(rf"^{name}==(\S+)", PINS.read_text(), re.MULTILINE)
    if match is None:
        raise RuntimeError(f"{PINS} has no line '{name}==...'")
    return match[1]


def get_requires_for_dynamic_metadata(settings: Mapping[str, Any]) -> list[str]:
    missing = [name for name in ("torch", "openvino") if installed_version(name) is None]
    return [f"{name}=={pinned_version(name)}" for name in missing]


def dynamic_metadata(settings: Mapping[str, Any], project: Mapping[str, Any]) -> dict[str, Any]:
    torch = installed_version("torch") or pinned_version("torch")
    openvino = installed_version("openvino") or pinned_version("openvino")
    minor = ".".join(torch.split(".")[:2])
    version_file = PINS.parent.parent / "python" / "torch_tensorrt" / "_version.py"
    version = re.search(r'__version__ = "(.+)"', version_file.read_text())
    if version is None:
        raise RuntimeError(f"{version_file} has no line '__version__ = ...'")
    return {
        "version": version[1],
        "dependencies": [f"torch=={minor}.*"],
        "optional-dependencies": {"openvino": [f"openvino=={openvino}"]},
    }


def dynamic_wheel(settings: Mapping[str, Any]) -> dict[str, bool]:
    """The fields that may differ between the source archive and a wheel made of it."""
    return {"dependencies": True, "optional-dependencies": True}
