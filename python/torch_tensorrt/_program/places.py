"""Where a node of an FX graph comes from in the user's source."""

from __future__ import annotations

import re
from pathlib import PurePath

import torch
from torch import fx

from torch_tensorrt import _C

_FRAME = re.compile(r'File "([^"]+)", line (\d+)')
# "<eval_with_key>.5" is a graph's own code.
_LIBRARY = re.compile(r"/torch/(nn|_|fx|export|utils|functional)|^<")
# L['self'].layer1[0].conv, and the names that Dynamo makes of list indices.
_ROOT = re.compile(r"^(L\['self'\]|L\['fn'\]|self)\.?")
_INDEX = re.compile(r"\[['\"]?(\w+)['\"]?\]")
_SLICE = re.compile(r"\.?slice\([^)]*\)")


def place_of(node: fx.Node) -> _C.Place:
    """File and line, the path of the module, and the classes of the modules around it."""
    stack = node.meta.get("nn_module_stack") or {}
    scope = ""
    types = []
    for entry in stack.values():
        path, kind = entry[0], entry[1]
        types.append(f"{kind.__module__}.{kind.__qualname__}" if isinstance(kind, type) else kind)
        scope = _clean(str(path)) or scope
    return _C.Place(_location(node.meta.get("stack_trace") or ""), scope, types)


def _clean(path: str) -> str:
    return (
        _SLICE.sub("", _INDEX.sub(r".\1", _ROOT.sub("", path)))
        .replace("._modules.", ".")
        .strip(".")
    )


def _location(stack: str) -> str:
    """The innermost frame outside PyTorch's own modules, else the innermost."""
    frames = _FRAME.findall(stack)
    users = [frame for frame in frames if not _LIBRARY.search(frame[0])]
    chosen = users[-1] if users else frames[-1] if frames else None
    return f"{PurePath(chosen[0]).name}:{chosen[1]}" if chosen else ""


def where(node: fx.Node) -> str:
    """'aten.nonzero.default at model.py:41 (head)', for messages."""
    place = place_of(node)
    target = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
    name = str(node.target) if isinstance(node.target, torch._ops.OpOverload) else target
    scope = f" ({place.scope})" if place.scope else ""
    return f"{name} at {place.location or 'an unknown place'}{scope}"
