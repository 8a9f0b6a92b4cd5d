"""Linear layers, matrix products, einsum, distances."""

import torch
from ops.harness import Dyn, T, op_rows
from torch import nn
from torch.nn import functional as F

aten = torch.ops.aten

X = Dyn((1, 4, 3), (2, 4, 3), (5, 4, 3))


@op_rows(
    ("rows", nn.Linear(3, 5), Dyn((1, 3), (4, 3), (8, 3))),
    ("sequence", nn.Linear(3, 5), X),
    ("no_bias", nn.Linear(3, 5, bias=False), X),
    ("vector", nn.Linear(3, 5), T(3)),
    ("rank_4", nn.Linear(3, 5), T(2, 4, 5, 3)),
    ("computed_weight", lambda x, w, b: F.linear(x, w * 2, b), X, T(5, 3), T(5)),
    ("bilinear", nn.Bilinear(3, 4, 5), Dyn((1, 3), (2, 3), (6, 3)), Dyn((1, 4), (2, 4), (6, 4))),
    ("bilinear_sequence", nn.Bilinear(3, 4, 5, bias=False), T(2, 6, 3), T(2, 6, 4)),
)
def test_linear(case):
    case.check()


@op_rows(
    ("matrices", torch.matmul, T(4, 3), T(3, 5)),
    ("batches", torch.matmul, X, T(3, 5)),
    ("batch_broadcast", torch.matmul, T(2, 1, 4, 3), T(5, 3, 6)),
    ("row", torch.matmul, T(3), T(2, 3, 5)),
    ("column", torch.matmul, X, T(3)),
    ("vectors", torch.matmul, T(7), T(7)),
    ("dynamic", torch.matmul, X, Dyn((1, 3, 2), (2, 3, 2), (5, 3, 2))),
    ("transposed", lambda a, b: a @ b.transpose(-1, -2), T(2, 4, 3), T(2, 5, 3)),
    ("mm", torch.mm, T(4, 3), T(3, 5)),
    ("bmm", torch.bmm, T(2, 4, 3), T(2, 3, 5)),
    ("mv", torch.mv, T(4, 3), T(3)),
    ("dot", torch.dot, T(6), T(6)),
    ("inner", torch.inner, T(2, 4, 3), T(5, 3)),
    ("outer", torch.outer, T(4), T(3)),
    ("addmm", lambda c, a, b: torch.addmm(c, a, b, beta=0.5, alpha=2), T(5), T(4, 3), T(3, 5)),
    ("addmm_beta_0", lambda c, a, b: torch.addmm(c, a, b, beta=0), T(5), T(4, 3), T(3, 5)),
    ("addmv", torch.addmv, T(4), T(4, 3), T(3)),
    ("addr", torch.addr, T(4, 3), T(4), T(3)),
    (
        "baddbmm",
        lambda c, a, b: torch.baddbmm(c, a, b, alpha=0.5),
        T(2, 4, 5),
        T(2, 4, 3),
        T(2, 3, 5),
    ),
    ("addbmm", torch.addbmm, T(4, 5), T(2, 4, 3), T(2, 3, 5)),
    ("chain", lambda a, b, c: torch.linalg.multi_dot([a, b, c]), T(4, 3), T(3, 5), T(5, 2)),
)
def test_matmul(case):
    case.check()


@op_rows(
    ("matmul", lambda a, b: torch.einsum("bij,jk->bik", a, b), X, T(3, 5)),
    ("attention", lambda q, k: torch.einsum("bhqd,bhkd->bhqk", q, k), T(2, 2, 4, 3), T(2, 2, 5, 3)),
    ("upper_case", lambda a, b: torch.einsum("BiJ, Jk -> Bik", a, b), T(2, 4, 3), T(3, 5)),
    ("implicit", lambda a, b: torch.einsum("ij,jk", a, b), T(4, 3), T(3, 5)),
    ("implicit_upper", lambda a, b: torch.einsum("aJ,JB", a, b), T(4, 3), T(3, 5)),
    ("ellipsis", lambda a, b: torch.einsum("...ij,...jk->...ik", a, b), T(2, 4, 3), T(2, 3, 5)),
    ("ellipsis_ranks", lambda a, b: torch.einsum("...i,i...->...", a, b), T(2, 4, 3), T(3, 4)),
    ("ellipsis_implicit", lambda a, b: torch.einsum("...ij,jk", a, b), T(2, 4, 3), T(3, 5)),
    ("sum", lambda a: torch.einsum("bij->b", a), X),
    ("transpose", lambda a: torch.einsum("bij->jbi", a), X),
    ("three", lambda a, b, c: torch.einsum("ni,nj,ijk->nk", a, b, c), T(4, 3), T(4, 2), T(3, 2, 5)),
    ("outer", lambda a, b: torch.einsum("i,j->ij", a, b), T(4), T(3)),
    (
        "tensordot",
        lambda a, b: torch.tensordot(a, b, dims=([1, 2], [0, 1])),
        T(2, 4, 3),
        T(4, 3, 5),
    ),
    ("vecdot", torch.linalg.vecdot, T(2, 4, 3), T(2, 4, 3)),
    ("cross", lambda a, b: torch.linalg.cross(a, b), T(4, 3), T(4, 3)),
)
def test_einsum(case):
    case.check()


@op_rows(
    ("cosine", nn.CosineSimilarity(1), T(4, 6), T(4, 6)),
    ("cosine_broadcast", lambda a, b: F.cosine_similarity(a, b, -1), T(4, 1, 6), T(5, 6)),
    ("pairwise", nn.PairwiseDistance(), T(4, 6), T(4, 6)),
    ("pairwise_kept", nn.PairwiseDistance(1.0, keepdim=True), T(4, 6), T(4, 6)),
    ("cdist", lambda a, b: torch.cdist(a, b), T(4, 6), T(5, 6)),
    ("cdist_batch", lambda a, b: torch.cdist(a, b), T(2, 4, 6), T(2, 5, 6)),
    ("cdist_many", lambda a, b: torch.cdist(a, b), T(30, 6), T(5, 6)),
    ("cdist_one", lambda a, b: torch.cdist(a, b, p=1.0), T(4, 6), T(5, 6)),
    ("cdist_inf", lambda a, b: torch.cdist(a, b, p=float("inf")), T(4, 6), T(5, 6)),
)
def test_distance(case):
    case.check()


@op_rows(
    ("cdist", lambda a, b: aten._cdist_forward(a, b, 2.0, None), T(4, 6), T(5, 6)),
    ("euclidean", lambda a, b: aten._euclidean_dist(a, b), T(4, 6), T(5, 6)),
    (
        "trilinear",
        lambda a, w, b: aten._trilinear(a, w, b, [1, 3], [0], [1, 2], [2, 3]),
        T(4, 3),
        T(5, 3, 2),
        T(4, 2),
    ),
    ("outer", lambda a, b: aten.ger(a, b), T(4), T(3)),
)
def test_linear_decomposed(case):
    case.check()


@op_rows(
    ("linear", nn.Linear(3, 5), X),
    ("matmul", torch.matmul, X, T(3, 5)),
    ("addmm", torch.addmm, T(5), T(4, 3), T(3, 5)),
    dtypes=(torch.float16, torch.bfloat16),
)
def test_linear_half(case):
    case.check()
