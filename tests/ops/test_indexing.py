"""Reading and writing by index: gathers, scatters, orders, searches."""

import torch
from ops.harness import Dyn, T, op_rows
from torch import nn

I64 = torch.int64
X = Dyn((1, 6, 4), (3, 6, 4), (5, 6, 4))


def ints(*shape: int, high: int, low: int = 0, dtype: torch.dtype = I64):
    return T(*shape, dtype=dtype, low=low, high=high)


def one(x: torch.Tensor, i: torch.Tensor) -> torch.Tensor:
    return x[:, i]


def pairs(x: torch.Tensor, i: torch.Tensor, j: torch.Tensor) -> torch.Tensor:
    return x[i, j]


@op_rows(
    ("one", one, X, ints(5, high=5)),
    ("negative", one, X, ints(5, low=-6, high=5)),
    ("negative_dynamic_axis", lambda x, i: x[i], X, ints(3, low=-1, high=0)),
    ("constant", lambda x: x[:, [0, -1, 2]], X),
    ("matrix", one, X, ints(2, 3, high=5)),
    ("scalar_index", lambda x, i: torch.ops.aten.index.Tensor(x, [None, i]), X, ints(high=5)),
    ("i32", one, X, ints(5, high=5, dtype=torch.int32)),
    ("pairs", pairs, T(5, 6, 4), ints(3, high=4), ints(3, low=-6, high=5)),
    ("pairs_broadcast", pairs, T(5, 6, 4), ints(3, 1, high=4), ints(1, 2, high=5)),
    ("pairs_behind", lambda x, i, j: x[:, i, j], X, ints(3, high=5), ints(3, high=3)),
    ("apart", lambda x, i, j: x[i, :, j], T(5, 6, 4), ints(3, high=4), ints(3, high=3)),
    ("apart_dynamic", lambda x, i, j: x[:, i][:, :, j], X, ints(3, high=5), ints(2, high=3)),
    ("all_axes", lambda x, i: x[i, i, i], T(4, 4, 4), ints(3, high=3)),
    ("new_axis", lambda x, i: x[:, None, i], X, ints(3, high=5)),
    ("arange_pairs", lambda x, i: x[torch.arange(x.shape[0]), i], T(5, 6), ints(5, high=5)),
    ("bool_self", pairs, T(5, 6, dtype=torch.bool), ints(3, 1, high=4), ints(2, high=5)),
    ("take", lambda x, i: x.take(i), T(3, 4), ints(2, 3, low=-12, high=11)),
)
def test_index(case):
    case.check()


@op_rows(
    ("select", lambda x, i: x.index_select(1, i), X, ints(5, high=5)),
    ("select_scalar", lambda x, i: x.index_select(-1, i), X, ints(high=3)),
    ("gather", lambda x, i: x.gather(1, i), T(3, 6), ints(3, 4, high=5)),
    ("gather_smaller", lambda x, i: x.gather(1, i), T(3, 6, 4), ints(2, 4, 3, high=5)),
    ("gather_first", lambda x, i: x.gather(0, i), T(3, 6), ints(5, 6, high=2)),
    (
        "gather_dynamic",
        lambda x, i: x.gather(1, i),
        Dyn((1, 6), (3, 6), (5, 6)),
        Dyn((1, 2), (3, 2), (5, 2), dtype=I64, low=0, high=5),
    ),
    ("along_dim", lambda x, i: x.take_along_dim(i, 1), T(3, 6), ints(3, 4, high=5)),
    ("along_broadcast", lambda x, i: x.take_along_dim(i, 1), T(3, 6), ints(1, 4, high=5)),
    ("along_all", lambda x, i: x.take_along_dim(i), T(3, 6), ints(4, high=17)),
)
def test_gather(case):
    case.check()


@op_rows(
    ("embedding", nn.Embedding(10, 4), ints(2, 3, high=9)),
    ("padding_idx", nn.Embedding(10, 4, padding_idx=0), ints(2, 3, high=9)),
    ("dynamic", nn.Embedding(10, 4), Dyn((1, 1), (2, 3), (4, 8), dtype=I64, low=0, high=9)),
    ("i32", nn.Embedding(10, 4), ints(2, 3, high=9, dtype=torch.int32)),
    ("bag_mean", nn.EmbeddingBag(10, 4), ints(7, high=9), torch.tensor([0, 2, 2, 5])),
    ("bag_sum", nn.EmbeddingBag(10, 4, mode="sum"), ints(7, high=9), torch.tensor([0, 2, 5])),
    ("bag_max", nn.EmbeddingBag(10, 4, mode="max"), ints(7, high=9), torch.tensor([0, 2, 5])),
    ("bag_rows", nn.EmbeddingBag(10, 4, mode="sum"), ints(3, 5, high=9)),
    (
        "bag_padding",
        nn.EmbeddingBag(10, 4, mode="mean", padding_idx=2),
        torch.tensor([0, 2, 2, 5, 1]),
        torch.tensor([0, 2, 3]),
    ),
)
def test_embedding(case):
    case.check()


@op_rows(
    ("src", lambda x, i, s: x.scatter(1, i, s), T(2, 6), torch.tensor([[0, 3], [5, 1]]), T(2, 2)),
    (
        "src_larger",
        lambda x, i, s: x.scatter(1, i, s),
        T(2, 6),
        torch.tensor([[0, 3]]),
        T(2, 4),
    ),
    ("value", lambda x, i: x.scatter(1, i, 2.5), T(2, 6), torch.tensor([[0, 3], [5, 1]])),
    ("value_ints", lambda x, i: x.scatter(0, i, 3), ints(6, 2, high=9), torch.tensor([[0, 3]])),
    ("add", lambda x, i, s: x.scatter_add(1, i, s), T(2, 6), ints(2, 8, high=5), T(2, 8)),
    (
        "reduce_add",
        lambda x, i, s: x.scatter(0, i, s, reduce="add"),
        T(4, 2),
        ints(3, 2, high=3),
        T(3, 2),
    ),
    (
        "reduce_multiply",
        lambda x, i, s: x.scatter(0, i, s, reduce="multiply"),
        T(4, 2),
        ints(3, 2, high=3),
        T(3, 2),
    ),
)
def test_scatter(case):
    case.check()


def reducing(mode: str, include_self: bool):
    return lambda x, i, s: x.scatter_reduce(1, i, s, mode, include_self=include_self)


@op_rows(
    *(
        (f"{mode}_{with_self}", reducing(mode, with_self), T(2, 6), ints(2, 8, high=4), T(2, 8))
        for mode in ("sum", "prod", "mean", "amax", "amin")
        for with_self in (True, False)
    ),
    ("ints", reducing("amax", False), ints(2, 6, high=9), ints(2, 8, high=4), ints(2, 8, high=9)),
)
def test_scatter_reduce(case):
    case.check()


def put(x: torch.Tensor, i: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    return x.index_put((i,), v)


@op_rows(
    ("rows", put, T(5, 3), torch.tensor([0, 3, -1]), T(3, 3)),
    ("broadcast", put, T(5, 3), torch.tensor([0, 3]), T(3)),
    ("scalar", put, T(5, 3), torch.tensor([0, 3]), T()),
    ("accumulate", lambda x, i, v: x.index_put((i,), v, True), T(5, 3), ints(6, high=4), T(6, 3)),
    (
        "pairs",
        lambda x, i, j, v: x.index_put((i, j), v),
        T(5, 4, 3),
        torch.tensor([0, 3]),
        torch.tensor([1, 2]),
        T(2, 3),
    ),
    (
        "behind",
        lambda x, i, v: torch.ops.aten.index_put(x, [None, i], v),
        X,
        torch.tensor([0, 3]),
        T(2, 4),
    ),
    ("mask", lambda x, m: x.index_put((m,), torch.tensor(0.5)), T(3), T(3, dtype=torch.bool)),
    ("mask_fill", lambda x: x.index_put((x > 0,), torch.tensor(0.5)), X),
    (
        "mask_rows",
        lambda x, m: x.index_put((m,), torch.tensor(2.0)),
        T(4, 3),
        T(4, dtype=torch.bool),
    ),
)
def test_index_put(case):
    case.check()


@op_rows(
    ("add", lambda x, i, s: x.index_add(0, i, s), T(5, 3), ints(6, high=4), T(6, 3)),
    ("add_alpha", lambda x, i, s: x.index_add(1, i, s, alpha=2), T(3, 5), ints(4, high=4), T(3, 4)),
    ("copy", lambda x, i, s: x.index_copy(1, i, s), T(3, 5), torch.tensor([4, 0]), T(3, 2)),
    ("fill", lambda x: x.index_fill(1, torch.tensor([0, -1]), 2.0), X),
    (
        "reduce",
        lambda x, i, s: x.index_reduce(0, i, s, "amax", include_self=False),
        T(5, 3),
        ints(6, high=3),
        T(6, 3),
    ),
)
def test_index_add(case):
    case.check()


def write_slice(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    x = x.clone()
    x[:, 1:3] = y
    return x


def write_column(x: torch.Tensor) -> torch.Tensor:
    x = x.clone()
    x[..., -1] = 2.0
    return x


def write_steps(x: torch.Tensor) -> torch.Tensor:
    x = x.clone()
    x[:, ::2] = 0.0
    return x


@op_rows(
    ("slice", lambda x, y: x.slice_scatter(y, 1, 1, 3), T(2, 5), T(2, 2)),
    ("slice_start", lambda x, y: x.slice_scatter(y, 1, 0, 3), T(2, 5), T(2, 3)),
    (
        "slice_end",
        lambda x, y: x.slice_scatter(y, 1, -2),
        Dyn((1, 3), (2, 5), (4, 9)),
        Dyn((1, 2), (2, 2), (4, 2)),
    ),
    ("slice_all", lambda x, y: x.slice_scatter(y, 1) + 0, T(2, 5), T(2, 5)),
    ("slice_step", lambda x, y: x.slice_scatter(y, 1, 1, 5, 2), T(2, 6), T(2, 2)),
    ("select", lambda x, y: x.select_scatter(y, 1, 2), T(2, 5), T(2)),
    ("select_last", lambda x, y: x.select_scatter(y, 0, -1), Dyn((1, 3), (2, 3), (4, 3)), T(3)),
    ("write_slice", write_slice, T(2, 5), T(2, 2)),
    ("write_column", write_column, X),
    ("write_steps", write_steps, T(2, 5)),
)
def test_slice_scatter(case):
    case.check()


DISTINCT = torch.tensor([[3.0, -1.0, 2.0, 9.0, 0.5], [0.1, 7.0, -3.0, 2.5, 1.0]])


@op_rows(
    ("topk", lambda x: tuple(x.topk(3)), DISTINCT),
    ("topk_smallest", lambda x: tuple(x.topk(2, 0, largest=False)), T(5, 3)),
    ("topk_dynamic", lambda x: tuple(x.topk(2, 1)), Dyn((1, 3), (2, 5), (4, 9))),
    ("topk_ints", lambda x: x.topk(2)[0], ints(3, 6, high=99)),
    ("sort", lambda x: tuple(x.sort()), DISTINCT),
    ("sort_descending", lambda x: tuple(x.sort(-1, True)), DISTINCT),
    ("sort_dynamic", lambda x: x.sort(0)[0], Dyn((1, 3), (4, 3), (9, 3))),
    ("sort_stable_values", lambda x: torch.sort(x, stable=True)[0], T(2, 5)),
    ("argsort", lambda x: x.argsort(1), DISTINCT),
    ("msort", lambda x: x.msort(), T(5, 2)),
    ("kthvalue", lambda x: tuple(x.kthvalue(2)), DISTINCT),
    ("kthvalue_keepdim", lambda x: tuple(x.kthvalue(4, 1, True)), DISTINCT),
)
def test_sort(case):
    case.check()


BOUNDS = torch.tensor([-0.5, 0.0, 0.25, 0.75])


@op_rows(
    ("bucketize", lambda x: torch.bucketize(x, BOUNDS), X),
    ("bucketize_right", lambda x: torch.bucketize(x, BOUNDS, right=True, out_int32=True), X),
    ("bucketize_on_bound", lambda x: torch.bucketize(x, BOUNDS), torch.tensor([0.0, -0.5, 9.0])),
    ("searchsorted", lambda x: torch.searchsorted(BOUNDS, x), T(3, 4)),
    ("searchsorted_side", lambda x: torch.searchsorted(BOUNDS, x, side="right"), BOUNDS),
    (
        "searchsorted_rows",
        lambda s, x: torch.searchsorted(s.sort(-1)[0], x),
        T(3, 6),
        T(3, 4),
    ),
    ("histc", lambda x: torch.histc(x, 8, 0, 7), T(20, low=-1, high=8)),
    (
        "masked_scatter",
        lambda x, m, s: x.masked_scatter(m, s),
        T(3, 4),
        T(3, 4, dtype=torch.bool),
        T(12),
    ),
    (
        "masked_scatter_rows",
        lambda x, m, s: x.masked_scatter(m, s),
        T(3, 4),
        T(3, 1, dtype=torch.bool),
        T(12),
    ),
)
def test_search(case):
    case.check()
