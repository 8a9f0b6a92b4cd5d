"""Reshapes, moves of axes, broadcasts, joins, splits, slices, pads, windows."""

import torch
from ops.harness import Dyn, Row, T, op_rows
from torch import nn
from torch.nn import functional as F

X = Dyn((1, 3, 4), (2, 3, 4), (5, 3, 4))
XY = Dyn((1, 2, 4), (2, 5, 4), (5, 9, 4))


def heads(x: torch.Tensor) -> torch.Tensor:
    b, t, _ = x.shape
    return x.view(b, t, 2, 2).transpose(1, 2)


def rows_together(x: torch.Tensor) -> torch.Tensor:
    return x.reshape(x.shape[0] * x.shape[1], -1)


def batch_and_rest(x: torch.Tensor) -> torch.Tensor:
    return x.view(x.size(0), -1)


def half_split(x: torch.Tensor) -> torch.Tensor:
    return x.reshape(x.shape[0], x.shape[1], x.shape[2] // 2, 2).sum(-1)


@op_rows(
    ("static", lambda x: x.view(6, 4), T(2, 3, 4)),
    ("to_scalar", lambda x: x.reshape(()), T(1, 1)),
    ("from_scalar", lambda x: x.reshape(1, 1), T()),
    ("batch_and_rest", batch_and_rest, X),
    ("rows_together", rows_together, XY),
    ("heads", heads, XY),
    ("half_split", half_split, XY),
    ("minus_one", lambda x: x.view(-1, 2, 2), XY),
    ("flatten", nn.Flatten(), XY),
    ("flatten_some", lambda x: x.flatten(0, 1), XY),
    ("flatten_scalar", lambda x: x.flatten(), T()),
    ("unflatten", nn.Unflatten(2, (2, -1)), XY),
    ("unflatten_first", lambda x: x.unflatten(0, (-1, 2)), T(6, 3)),
    ("view_as", lambda x, y: x.view_as(y), T(2, 6), T(3, 4)),
    ("ravel", lambda x: x.ravel(), XY),
    ("bool", lambda x: x.view(-1), T(2, 3, dtype=torch.bool)),
    ("ints", lambda x: x.reshape(3, 2), T(2, 3, dtype=torch.int64)),
)
def test_reshape(case):
    case.check()


@op_rows(
    ("permute", lambda x: x.permute(2, 0, -2), X),
    ("transpose", lambda x: x.transpose(-1, 1), X),
    ("transpose_same", lambda x: x.transpose(1, 1) + 0, T(2, 3)),
    ("t", lambda x: x.t(), T(2, 3)),
    ("t_vector", lambda x: x.t() + 0, T(3)),
    ("mT", lambda x: x.mT, X),
    ("numpy_T", lambda x: x.T, T(2, 3)),
    ("movedim", lambda x: x.movedim(0, -1), X),
    ("movedims", lambda x: x.movedim((0, 3), (-1, 1)), T(2, 3, 4, 5)),
    ("swapaxes", lambda x: x.swapaxes(0, 2), X),
    ("squeeze", lambda x: x.squeeze(), T(1, 3, 1)),
    ("squeeze_dim", lambda x: x.squeeze(-1), T(2, 3, 1)),
    ("squeeze_other", lambda x: x.squeeze(0) + 0, T(2, 3)),
    ("squeeze_dims", lambda x: x.squeeze((0, 2)), T(1, 3, 1)),
    ("unsqueeze", lambda x: x.unsqueeze(1), X),
    ("unsqueeze_last", lambda x: x.unsqueeze(-1), X),
    ("unsqueeze_scalar", lambda x: x.unsqueeze(0), T()),
    ("atleast", lambda x: torch.atleast_3d(x), T(3)),
    ("atleast_2d", lambda x: torch.atleast_2d(x), T()),
)
def test_axes(case):
    case.check()


def expanded_rows(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return x.expand(y.shape[0], -1, y.shape[1])


@op_rows(
    ("static", lambda x: x.expand(2, 3, 4), T(3, 1)),
    ("keeps", lambda x: x.unsqueeze(0).expand(4, -1, -1), Dyn((1, 3), (2, 3), (5, 3))),
    ("dynamic", expanded_rows, T(1, 3, 1), Dyn((1, 2), (4, 5), (6, 7))),
    ("expand_as", lambda x, y: x.expand_as(y), T(1, 3, 1), X),
    ("broadcast_to", lambda x: x.broadcast_to(2, 3), T(3)),
    ("scalar", lambda x: x.expand(3), T()),
    ("broadcast_tensors", lambda x, y: torch.broadcast_tensors(x, y), T(3, 1), X),
    ("repeat", lambda x: x.repeat(2, 1, 3), X),
    ("repeat_more", lambda x: x.repeat(2, 1, 3), T(3, 4)),
    ("repeat_ones", lambda x: x.repeat(3, 1), T(1, 4)),
    ("tile", lambda x: x.tile((2,)), X),
    ("tile_more", lambda x: torch.tile(x, (2, 1, 3)), T(3, 4)),
    ("interleave", lambda x: x.repeat_interleave(3, 1), X),
    ("interleave_flat", lambda x: x.repeat_interleave(2), X),
    ("interleave_tensor", lambda x: x.repeat_interleave(torch.tensor([1, 0, 2]), 1), X),
)
def test_expand(case):
    case.check()


@op_rows(
    ("cat", lambda x, y: torch.cat([x, y], 1), X, X),
    ("cat_negative", lambda x, y: torch.cat([x, y], -1), T(2, 3), T(2, 1)),
    ("cat_dynamic", lambda x: torch.cat([x, x * 2, x], 1), XY),
    ("cat_one", lambda x: torch.cat([x], 0) + 0, X),
    ("cat_types", lambda x, y: torch.cat([x, y]), T(2, 3), T(4, 3, dtype=torch.int32)),
    ("cat_nothing", lambda x: torch.cat([x, torch.zeros(0)], 1), T(2, 3)),
    ("cat_bool", lambda x: torch.cat([x, ~x]), T(2, 3, dtype=torch.bool)),
    ("stack", lambda x, y: torch.stack([x, y], 1), X, X),
    ("stack_last", lambda x, y: torch.stack([x, y], -1), X, X),
    ("stack_scalars", lambda x, y: torch.stack([x, y]), T(), T()),
    ("hstack", lambda x, y: torch.hstack([x, y]), T(2, 3), T(2, 1)),
    ("hstack_vectors", lambda x, y: torch.hstack([x, y]), T(3), T(4)),
    ("vstack", lambda x, y: torch.vstack([x, y]), T(3), T(2, 3)),
    ("dstack", lambda x, y: torch.dstack([x, y]), T(2, 3), T(2, 3)),
    ("column_stack", lambda x, y: torch.column_stack([x, y]), T(3), T(3, 2)),
    ("meshgrid", lambda x, y: torch.meshgrid(x, y, indexing="ij"), T(3), T(4)),
    ("meshgrid_xy", lambda x, y: torch.meshgrid(x, y, indexing="xy"), Dyn((1,), (3,), (5,)), T(4)),
)
def test_join(case):
    case.check()


def first_of_split(x: torch.Tensor) -> torch.Tensor:
    a, b = x.split([1, 2], dim=1)
    return a + b


def thirds(x: torch.Tensor) -> torch.Tensor:
    q, k, v = x.chunk(3, dim=-1)
    return q * k + v


@op_rows(
    ("split", lambda x: x.split(2, 1), T(2, 5)),
    ("split_even", lambda x: torch.split(x, 2, -1), X),
    ("split_sizes", first_of_split, X),
    ("split_one", lambda x: x.split(9, 1)[0] + 0, X),
    ("chunk", thirds, Dyn((1, 6), (2, 6), (4, 6))),
    ("chunk_uneven", lambda x: x.chunk(3, 1), T(2, 7)),
    ("chunk_dynamic", lambda x: x.chunk(2, 1), Dyn((1, 2), (1, 6), (1, 9))),
    ("tensor_split", lambda x: x.tensor_split(3, 1), T(2, 7)),
    ("tensor_split_at", lambda x: x.tensor_split((1, -2), 1), T(2, 7)),
    ("tensor_split_dynamic", lambda x: x.tensor_split(3, 1), Dyn((1, 3), (1, 7), (1, 11))),
    ("hsplit", lambda x: x.hsplit(2), T(2, 4)),
    ("unbind", lambda x: x.unbind(1), X),
    ("unbind_last", lambda x: x.unbind(-1)[2], X),
)
def test_split(case):
    case.check()


def to_half(x: torch.Tensor) -> torch.Tensor:
    return x[:, : x.shape[1] // 2]


def from_half(x: torch.Tensor) -> torch.Tensor:
    return x[:, x.shape[1] // 2 :]


def causal_corner(mask: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return mask[: x.shape[0], : x.shape[0]]


@op_rows(
    ("middle", lambda x: x[:, 1:3], T(2, 5)),
    ("negative", lambda x: x[:, -2:], XY),
    ("to_negative", lambda x: x[:, :-1], XY),
    ("both_negative", lambda x: x[:, -3:-1], T(2, 5)),
    ("beyond", lambda x: x[:, 1:99], T(2, 5)),
    ("beyond_dynamic", lambda x: x[:, -7:99], XY),
    ("empty", lambda x: x[:, 3:1], T(2, 5)),
    ("step", lambda x: x[:, ::2], XY),
    ("step_from", lambda x: x[:, 1::3], XY),
    ("all", lambda x: x[:] + 0, XY),
    ("to_half", to_half, XY),
    ("from_half", from_half, XY),
    ("corner", causal_corner, T(9, 9), Dyn((1,), (4,), (9,))),
    ("narrow", lambda x: x.narrow(1, -2, 2), XY),
    ("select", lambda x: x[:, 1], XY),
    ("select_negative", lambda x: x[:, -1], XY),
    ("select_ints", lambda x: x.select(0, -2), T(3, 2, dtype=torch.int64)),
    ("last_of_all", lambda x: x[-1, -1, -1], XY),
    ("flip", lambda x: x.flip(0, -1), XY),
    ("flip_none", lambda x: x.flip(()) + 0, X),
    ("fliplr", lambda x: x.fliplr(), T(2, 3)),
    ("roll", lambda x: x.roll(2, 1), XY),
    ("roll_two", lambda x: x.roll((1, -2), (0, 2)), XY),
    ("roll_flat", lambda x: x.roll(3), XY),
    ("rot90", lambda x: x.rot90(1, (0, 1)), T(2, 3, 4)),
    ("rot270", lambda x: x.rot90(3, (1, 2)), T(2, 3, 4)),
    ("rot180", lambda x: x.rot90(2), T(2, 3, 4)),
    ("diagonal", lambda x: x.diagonal(), T(4, 3)),
    ("diagonal_above", lambda x: x.diagonal(1, 1, 2), XY),
    ("diagonal_below", lambda x: x.diagonal(-1, 0, 1), T(4, 3, 2)),
    ("as_strided", lambda x: (x * 2).as_strided((2, 2, 3), (4, 1, 3), 1), T(4, 4)),
)
def test_slice(case):
    case.check()


def padded_to(x: torch.Tensor) -> torch.Tensor:
    return F.pad(x, [0, 0, 0, 9 - x.shape[1]])


@op_rows(
    ("constant", lambda x: F.pad(x, (1, 2)), XY),
    ("value", lambda x: F.pad(x, (1, 2, 0, 3), value=2.5), XY),
    ("minus_infinity", lambda x: F.pad(x, (1, 2), value=float("-inf")), T(2, 3)),
    ("crop", lambda x: F.pad(x, (-1, -1)), XY),
    ("crop_and_pad", lambda x: F.pad(x, (-1, 2, 1, -1)), T(2, 3, 4)),
    ("nothing", lambda x: F.pad(x, (0, 0)) + 0, T(2, 3)),
    ("dynamic_amount", padded_to, XY),
    ("ints", lambda x: F.pad(x, (1, 2), value=7), T(2, 3, dtype=torch.int64)),
    ("bool", lambda x: F.pad(x, (1, 2), value=True), T(2, 3, dtype=torch.bool)),
    ("module", nn.ZeroPad2d((1, 0, 2, 1)), T(2, 3, 4, 5)),
    ("reflect", nn.ReflectionPad2d((1, 2, 2, 1)), T(2, 3, 4, 5)),
    ("reflect_1d", nn.ReflectionPad1d((2, 1)), X),
    ("reflect_3d", nn.ReflectionPad3d(1), T(1, 2, 3, 4, 5)),
    ("replicate", nn.ReplicationPad2d((1, 5, 2, 1)), T(2, 3, 4, 5)),
    ("replicate_1d", nn.ReplicationPad1d(2), X),
    ("replicate_crop", lambda x: F.pad(x, (-1, 2), mode="replicate"), T(2, 3, 4)),
    ("circular", nn.CircularPad2d((1, 2, 2, 1)), T(2, 3, 4, 5)),
    ("circular_1d", lambda x: F.pad(x, (2, 1), mode="circular"), X),
)
def test_pad(case):
    case.check()


@op_rows(
    ("unfold", lambda x: x.unfold(1, 3, 1), T(2, 7, 4)),
    ("unfold_steps", lambda x: x.unfold(1, 2, 3), Dyn((1, 2, 4), (2, 7, 4), (3, 11, 4))),
    ("unfold_tiles", lambda x: x.unfold(2, 2, 2).unfold(1, 3, 3), T(2, 7, 5)),
    ("im2col", nn.Unfold(2), T(2, 3, 4, 5)),
    ("im2col_all", nn.Unfold((2, 3), (2, 1), (1, 2), (1, 2)), T(2, 3, 6, 7)),
    (
        "im2col_dynamic",
        nn.Unfold(3, padding=1, stride=2),
        Dyn((1, 2, 4, 4), (2, 2, 6, 7), (3, 2, 9, 9)),
    ),
    ("im2col_no_batch", nn.Unfold(2), T(3, 4, 5)),
    ("col2im", nn.Fold((4, 5), 2), T(2, 12, 12)),
    ("col2im_all", nn.Fold((6, 7), (2, 3), (2, 1), (1, 2), (1, 2)), T(2, 12, 30)),
)
def test_windows(case):
    case.check()


@op_rows(
    Row("half", heads, T(2, 5, 4), forms=("traced",)),
    dtypes=(torch.float16, torch.bfloat16),
)
def test_reshape_half(case):
    case.check()
