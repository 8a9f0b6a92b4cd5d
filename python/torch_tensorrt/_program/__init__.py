"""From an FX graph of aten ops to the compiler's Program, and back: shared by dynamo and fx."""

from torch_tensorrt._program.compiler import Compiled, compile_graph_module
from torch_tensorrt._program.shapes import Ranges, SymbolRange, ranges_of

__all__ = ["Compiled", "Ranges", "SymbolRange", "compile_graph_module", "ranges_of"]
