"""Layers of ctx.net that move elements: layout, slices, indices."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from e2e.user_layers import NC, L, N, Row, layer_rows, out, sizes_after, zero
from ops.harness import Dyn, T
from torch_tensorrt.dynamo.conversion import trt

E, SAMPLE = trt.ElementWiseOperation, trt.SampleMode


def _shuffled(net: Any, x: Any, **options: Any) -> Any:
    return out(net.add_shuffle(x), **options)


def _joined(net: Any, x: Any) -> Any:
    shape = out(net.add_shape(x))
    rows = out(net.add_slice(shape, (0,), (1,), (1,)))
    last = out(net.add_constant((1,), torch.tensor([24], dtype=torch.int32)))
    return out(net.add_concatenation([rows, out(net.add_cast(last, trt.int64))]), axis=0)


@layer_rows(
    ("transpose", lambda n, x: _shuffled(n, x, first_transpose=(0, 2, 1)), lambda x: x.mT, NC),
    (
        "transpose with eight entries",
        lambda n, x: _shuffled(n, x, second_transpose=trt.Permutation([0, 2, 1, 0, 0, 0, 0, 0])),
        lambda x: x.mT,
        NC,
    ),
    (
        "reshape",
        lambda n, x: _shuffled(n, x, reshape_dims=(0, -1)),
        lambda x: x.flatten(1),
        NC,
    ),
    (
        "reshape without -1",
        lambda n, x: _shuffled(n, x, reshape_dims=(0, 24)),
        lambda x: x.flatten(1),
        NC,
    ),
    (
        "transpose, reshape, transpose",
        lambda n, x: _shuffled(
            n,
            x,
            first_transpose=(2, 0, 1),
            reshape_dims=(2, 3, 0, -1),
            second_transpose=(2, 0, 1, 3),
        ),
        lambda x: x.permute(2, 0, 1).reshape(2, 3, 4, -1).permute(2, 0, 1, 3),
        NC,
    ),
    (
        "reshape by input",
        lambda n, x: _shuffled(n, x, inputs={1: _joined(n, x)}),
        lambda x: x.flatten(1),
        NC,
    ),
    (
        "reshape by constant input",
        lambda n, x: _shuffled(n, x, inputs={1: [0, -1]}),
        lambda x: x.flatten(1),
        NC,
    ),
    (
        "concatenation",
        lambda n, a, b: out(n.add_concatenation([a, b]), axis=1),
        lambda a, b: torch.cat([a, b], 1),
        NC,
        NC,
    ),
    ("squeeze", L("add_squeeze", torch.tensor([1])), lambda x: x.squeeze(1), T(2, 1, 3)),
    ("squeeze all", L("add_squeeze"), lambda x: x.squeeze(), T(2, 1, 3, 1)),
    ("unsqueeze", L("add_unsqueeze", [1, -1]), lambda x: x[:, None, :, :, None], NC),
    ("shape", L("add_shape"), lambda x: zero(x) + torch.tensor([2, 3]), T(2, 3)),
    (
        "reverse_sequence",
        L("add_reverse_sequence", torch.tensor([2, 3]), batch_axis=0, sequence_axis=1),
        lambda x: torch.stack(
            [torch.cat([x[0, :2].flip(0), x[0, 2:]]), torch.cat([x[1, :3].flip(0), x[1, 3:]])]
        ),
        T(2, 4, 3),
    ),
    (
        "assertion",
        lambda n, x: _asserted(n, x),
        torch.relu,
        NC,
    ),
)
def test_layout(row: Row, engine: str) -> None:
    row.check(engine)


def _asserted(net: Any, x: Any) -> Any:
    wide = out(net.add_elementwise(out(net.add_shape(x)), torch.tensor([0, 3, 3]), E.GREATER))
    net.add_assertion(wide, "too small")
    return out(net.add_activation(x, trt.ActivationType.RELU))


def _slice(net: Any, x: Any, *bounds: Any, **options: Any) -> Any:
    return out(net.add_slice(x, *bounds), **options)


def _last_row(net: Any, x: Any) -> Any:
    return _slice(net, sizes_after(net, x, -1, 0), (0,), (1,), (1,))


def _sampled(net: Any, x: Any, mode: Any, start: int, size: int, **options: Any) -> Any:
    return _slice(net, x, (start,), (size,), (1,), axes=(2,), mode=mode, **options)


@layer_rows(
    (
        "static",
        lambda n, x: _slice(n, x, (0, 1, 5), (2, 2, 3), (1, 2, -2)),
        lambda x: x[:, [1, 3]][..., [5, 3, 1]],
        T(2, 4, 6),
    ),
    (
        "of named axes",
        lambda n, x: _slice(n, x, (1,), (3,), (1,), axes=(1,)),
        lambda x: x[:, 1:],
        NC,
    ),
    (
        "by sizes of the input",
        lambda n, x: _slice(
            n, x, (0, 1, 0), (0, 0, 0), (1, 1, 1), inputs={2: sizes_after(n, x, 0, -1, -2)}
        ),
        lambda x: x[:, 1:, :-2],
        NC,
    ),
    (
        "by a computed start",
        lambda n, x: _slice(n, x, (0,), (1,), (1,), axes=(0,), inputs={1: _last_row(n, x)}),
        lambda x: x[-1:],
        N,
    ),
    (
        "by constant inputs",
        lambda n, x: _slice(n, x, (0,), (0,), (0,), inputs={1: [2], 2: [3], 3: [1], 5: [2]}),
        lambda x: x[..., 2:5],
        NC,
    ),
    (
        "with stride 0",
        lambda n, x: _slice(
            n, x, (0, 0, 0), (0, 5, 6), (1, 0, 1), inputs={2: sizes_after(n, x, 0, 4, 0)}
        ),
        lambda x: x.expand(-1, 5, -1),
        Dyn((1, 1, 6), (2, 1, 6), (3, 1, 6)),
    ),
    ("fill", lambda n, x: _sampled(n, x, SAMPLE.FILL, -2, 9), lambda x: F.pad(x, (2, 1)), NC),
    (
        "fill with a value",
        lambda n, x: _sampled(n, x, SAMPLE.FILL, 1, 8, inputs={4: 2.5}),
        lambda x: F.pad(x[..., 1:], (0, 3), value=2.5),
        NC,
    ),
    (
        "fill a dynamic axis",
        lambda n, x: _slice(
            n,
            x,
            (-1, 0, 0),
            (0, 0, 0),
            (1, 1, 1),
            mode=SAMPLE.FILL,
            inputs={2: sizes_after(n, x, 3, 0, 0)},
        ),
        lambda x: F.pad(x, (0, 0, 0, 0, 1, 2)),
        NC,
    ),
    (
        "clamp",
        lambda n, x: _sampled(n, x, SAMPLE.CLAMP, -2, 9),
        lambda x: F.pad(x, (2, 1), mode="replicate"),
        NC,
    ),
    (
        "reflect",
        lambda n, x: _sampled(n, x, SAMPLE.REFLECT, -2, 9),
        lambda x: F.pad(x, (2, 1), mode="reflect"),
        NC,
    ),
    (
        "wrap",
        lambda n, x: _sampled(n, x, SAMPLE.WRAP, -2, 14),
        lambda x: torch.cat([x[..., 4:], x, x], -1),
        NC,
    ),
    (
        "wrap a dynamic axis",
        lambda n, x: _slice(
            n,
            x,
            (0, 0, 0),
            (0, 0, 0),
            (1, 1, 1),
            mode=SAMPLE.WRAP,
            inputs={
                2: out(n.add_elementwise(out(n.add_shape(x)), torch.tensor([2, 1, 1]), E.PROD))
            },
        ),
        lambda x: x.repeat(2, 1, 1),
        NC,
    ),
)
def test_add_slice(row: Row, engine: str) -> None:
    row.check(engine)


INDICES, PAIRS = torch.tensor([3, 0, 1]), torch.tensor([[0, 3], [1, 1]])
BOXES = torch.tensor([[[0.0, 0, 2, 2], [0, 0, 2, 1.9], [3, 3, 4, 4]]])
SCORES = torch.tensor([[[0.8, 0.1], [0.9, 0.2], [0.7, 0.95]]])
KEPT = torch.tensor([[0, 0, 1], [0, 0, 2], [0, 1, 2], [0, 1, 1]])


@layer_rows(
    ("gather", L("add_gather", INDICES, 1), lambda x: x[:, INDICES], NC),
    (
        "gather in batches",
        lambda n, x: out(
            n.add_gather(x, torch.tensor([[1, 0], [5, 2]]), 1), num_elementwise_dims=1
        ),
        lambda x: x.gather(1, torch.tensor([[1, 0], [5, 2]])),
        T(2, 6),
    ),
    (
        "gather elements",
        lambda n, x: out(
            n.add_gather_v2(x, torch.tensor([[1, 0], [5, 2]]), trt.GatherMode.ELEMENT), axis=1
        ),
        lambda x: x.gather(1, torch.tensor([[1, 0], [5, 2]])),
        T(2, 6),
    ),
    (
        "gather nd",
        L("add_gather_v2", PAIRS, trt.GatherMode.ND),
        lambda x: x[[0, 1], [3, 1]],
        T(2, 6),
    ),
    (
        "scatter elements",
        lambda n, x, y: out(n.add_scatter(x, PAIRS, y, trt.ScatterMode.ELEMENT), axis=1),
        lambda x, y: x.scatter(1, PAIRS, y),
        T(2, 6),
        T(2, 2),
    ),
    (
        "scatter nd",
        lambda n, x, y: out(n.add_scatter(x, PAIRS, y, trt.ScatterMode.ND)),
        lambda x, y: x.index_put((PAIRS[:, 0], PAIRS[:, 1]), y),
        T(2, 6),
        T(2),
    ),
    (
        "one_hot",
        L("add_one_hot", torch.tensor([0.5, 2.0]), torch.tensor(4), -1),
        lambda x: F.one_hot(x, 4) * 1.5 + 0.5,
        Dyn((1, 3), (2, 3), (4, 3), dtype=torch.int64, low=0, high=3),
    ),
)
def test_indexing(row: Row, engine: str) -> None:
    row.check(engine)


def _count(net: Any, x: Any) -> Any:
    """How many elements are not zero: the second size of their positions."""
    shape = out(net.add_shape(out(net.add_non_zero(x))))
    return out(net.add_gather(shape, torch.tensor(1), 0))


def _kept(net: Any, boxes: Any, scores: Any) -> Any:
    layer = net.add_nms(boxes, scores, torch.tensor(2), trt.int64)
    layer.set_input(3, torch.tensor(0.5))
    layer.set_input(4, torch.tensor(0.15))
    return out(net.add_reduce(layer.get_output(0), trt.ReduceOperation.SUM, 0b1, False))


@layer_rows(
    ("non_zero", _count, lambda x: (x > 0).count_nonzero(), T(3, 6, low=0, high=1)),
    ("nms", _kept, lambda boxes, scores: KEPT.sum(0) + zero(scores), BOXES, SCORES),
)
def test_sizes_that_depend_on_data(row: Row, engine: str) -> None:
    row.check(engine)
