"""How a compiled graph module takes its arguments and gives its results."""

from __future__ import annotations

from typing import Any

from torch.fx.graph import CodeGen, _PyTreeCodeGen
from torch.utils import _pytree as pytree


def direct(codegen: CodeGen) -> CodeGen:
    """The same signature; arguments and results that are not nested are handed through as they are.

    Taking them apart and together as PyTorch's code does takes longer than a small engine.
    """
    if type(codegen) is not _PyTreeCodeGen or codegen.pytree_info is None:
        return codegen
    return _Direct(codegen.pytree_info)


class _Direct(_PyTreeCodeGen):
    def gen_var_bindings(self, fn_args: Any, free_vars: list[str], expanded_def: bool) -> str:
        in_spec = self.pytree_info.in_spec
        names = [name.split(":")[0].split("#")[0] for name in free_vars]
        arguments = self.pytree_info.orig_args
        is_call = in_spec.type is tuple and in_spec.num_children == 2
        leaves = (
            [leaf for kind in in_spec.children() for leaf in kind.children()] if is_call else []
        )
        if len(names) != len(arguments) or len(leaves) != len(names) or not _flat(leaves):
            bindings: str = super().gen_var_bindings(fn_args, free_vars, expanded_def)
            return bindings
        return f"\n    {', '.join(names)}, = {', '.join(arguments)},"

    def generate_output(self, output_args: Any, **options: Any) -> str:
        spec = self.pytree_info.out_spec
        values = output_args if isinstance(output_args, list | tuple) else [output_args]
        if spec is not None and spec.is_leaf() and len(values) == 1:
            return f"return {values[0]!r}"
        if spec is not None and spec.type is tuple and _flat(spec.children()):
            return f"return {tuple(values)!r}"
        output: str = super().generate_output(output_args, **options)
        return output


def _flat(specs: list[pytree.TreeSpec]) -> bool:
    return all(spec.is_leaf() for spec in specs)
