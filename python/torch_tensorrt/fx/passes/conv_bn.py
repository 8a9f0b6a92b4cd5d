"""fold_conv_bn: a batch norm behind a convolution becomes part of its weights."""

from __future__ import annotations

from torch import fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

_PAIRS = (
    (nn.Conv1d, nn.BatchNorm1d),
    (nn.Conv2d, nn.BatchNorm2d),
    (nn.Conv3d, nn.BatchNorm3d),
    (nn.ConvTranspose1d, nn.BatchNorm1d),
    (nn.ConvTranspose2d, nn.BatchNorm2d),
    (nn.ConvTranspose3d, nn.BatchNorm3d),
)


def fold_conv_bn(module: fx.GraphModule) -> fx.GraphModule:
    """Folds each nn.BatchNorm that is the only reader of an nn.Conv into a copy of it.

    Only in eval mode, where the statistics are constants. The original modules are not changed.
    """
    modules = dict(module.named_modules())
    calls: dict[str, int] = {}
    for node in module.graph.find_nodes(op="call_module"):
        calls[str(node.target)] = calls.get(str(node.target), 0) + 1
    for node in list(module.graph.find_nodes(op="call_module")):
        source = node.args[0] if node.args else None
        if not isinstance(source, fx.Node) or source.op != "call_module" or len(source.users) > 1:
            continue
        conv, norm = modules[str(source.target)], modules[str(node.target)]
        pair = any(type(conv) is c and type(norm) is n for c, n in _PAIRS)
        shared = calls[str(source.target)] > 1
        if not pair or shared or conv.training or norm.training or norm.running_mean is None:
            continue
        transposed = isinstance(conv, nn.modules.conv._ConvTransposeNd)
        folded = fuse_conv_bn_eval(conv, norm, transpose=transposed)
        module.add_submodule(str(source.target), folded)
        node.replace_all_uses_with(source)
        module.graph.erase_node(node)
    module.delete_all_unused_submodules()
    module.recompile()
    return module
