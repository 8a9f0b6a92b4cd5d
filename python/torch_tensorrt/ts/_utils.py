from torch_tensorrt import _C


def get_build_info() -> str:
    """Versions of Torch-TensorRT, PyTorch and the engines, and which of these run here.

    >>> import torch_tensorrt
    >>> torch_tensorrt.get_build_info().splitlines()[0].startswith("Torch-TensorRT: ")
    True
    """
    return _C.build_info()


def dump_build_info() -> None:
    """Print `get_build_info()`."""
    print(get_build_info(), end="")


def set_device(gpu_id: int) -> None:
    """Make a GPU the current one.

    Raises:
        ValueError: PyTorch sees no GPU of that index.
    """
    _C.set_device(gpu_id)
