"""Observers: which values the tensors of a graph take, as INT8 scales need it.

>>> import torch, torch_tensorrt
>>> from torch_tensorrt.fx.quantization import MinMaxObserver, collect, insert_observers
>>> traced = torch_tensorrt.fx.trace(torch.nn.ReLU(), [torch.ones(2)])
>>> observed = insert_observers(traced, MinMaxObserver)
>>> collect(observed, [torch.tensor([-1.0, 2.0]), torch.tensor([0.5, 3.0])])
{'input_1': (-1.0, 3.0), 'relu': (0.0, 3.0)}
"""

from torch_tensorrt.fx.quantization.insertion import collect, insert_observers, observers_of
from torch_tensorrt.fx.quantization.observers import (
    HistogramObserver,
    MinMaxObserver,
    MovingAverageObserver,
    Observer,
)

__all__ = [
    "HistogramObserver",
    "MinMaxObserver",
    "MovingAverageObserver",
    "Observer",
    "collect",
    "insert_observers",
    "observers_of",
]
