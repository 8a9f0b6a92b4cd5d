"""Passes over traced graphs: from a graph module to a graph module with the same results.

A pass is a function. `PassManager` runs several in order; `LowerSetting` says which run while
compiling.
"""

from torch_tensorrt.fx.passes.conv_bn import fold_conv_bn
from torch_tensorrt.fx.passes.cse import common_subexpression_elimination
from torch_tensorrt.fx.passes.lower_basic_pass import fuse_permute_linear, fuse_permute_matmul
from torch_tensorrt.fx.passes.pass_manager import PassManager

__all__ = [
    "PassManager",
    "common_subexpression_elimination",
    "fold_conv_bn",
    "fuse_permute_linear",
    "fuse_permute_matmul",
]
