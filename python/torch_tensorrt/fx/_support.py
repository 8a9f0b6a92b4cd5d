"""Which nodes of a traced graph an engine would take: found by compiling without building."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from torch import fx

from torch_tensorrt._program.places import place_of
from torch_tensorrt._report import Report
from torch_tensorrt.fx._build import compile_lowered, merged
from torch_tensorrt.fx._capture import Captured
from torch_tensorrt.fx._lowering import Lowered, source_of

_KEY = "node:"


@dataclass(frozen=True)
class Support:
    """Whether an engine takes a node of a traced graph.

    Attributes:
        engine: it does, with all aten operators that the node becomes.
        code: why not, see docs/report.md; empty where it does.
        reason: the same for people.
    """

    engine: bool
    code: str = ""
    reason: str = ""


def supports(captured: Captured, settings: dict[str, Any]) -> tuple[dict[str, Support], Report]:
    """The answer for each node that became an operator, by its name, and the dry run's report.

    A node without an answer became none, as dropout does in eval mode: there is nothing to refuse.
    """
    dry = {**settings, "dryrun": True, "min_block_size": 1, "require_full_compilation": False}
    found: dict[str, Support] = {}
    reports = []
    for lowered in captured.pieces.values():
        report = _dry_run(lowered, dry)
        for entry in report["nodes"]:
            name = entry.get("module", "")
            if not name.startswith(_KEY):
                continue
            name = name.removeprefix(_KEY)
            refused = entry["engine"] < 0 and not entry.get("host")
            if name not in found or (refused and found[name].engine):
                why = (entry["op"], entry.get("reason", ""))
                found[name] = (
                    Support(False, entry.get("code", ""), ": ".join(w for w in why if w))
                    if refused
                    else Support(True)
                )
        _restore_modules(report, lowered)
        reports.append(Report(json.dumps(report)))
    for name, error in captured.refused.items():
        found[name] = Support(False, "capture", f"torch.export cannot capture it: {error.reason}")
    return found, merged(reports, captured.refused.values())


def _dry_run(lowered: Lowered, settings: dict[str, Any]) -> dict[str, Any]:
    """The report, in which each op's module is the traced node that it comes from."""
    before = {node: node.meta.get("nn_module_stack") for node in lowered.module.graph.nodes}
    for node in before:
        name = source_of(node)
        if name is not None:
            # The classes around it stay: torch_executed_modules asks for them.
            node.meta["nn_module_stack"] = {
                **(before[node] or {}),
                _KEY: (f"{_KEY}{name}", ""),
            }
    try:
        return compile_lowered(lowered, settings).report.data
    finally:
        for node, stack in before.items():
            node.meta["nn_module_stack"] = stack


def _restore_modules(report: dict[str, Any], lowered: Lowered) -> None:
    source = lowered.source
    nodes: dict[str, fx.Node] = {n.name: n for n in source.graph.nodes} if source else {}
    for entry in report["nodes"]:
        original = nodes.get(entry.get("module", "").removeprefix(_KEY))
        if original is not None:
            entry["module"] = place_of(original).scope
