"""Where the package keeps what C++ projects need."""

from pathlib import Path

__all__ = ["cmake_prefix_path"]

#: What CMAKE_PREFIX_PATH must hold for find_package(torchtrt): as torch.utils.cmake_prefix_path for
#: Torch.
cmake_prefix_path = str(Path(__file__).parent / "share" / "cmake")
