#include <ATen/ATen.h>

#include <cmath>
#include <limits>
#include <optional>

#include "engines/conformance/row.h"

namespace torch_tensorrt::engines::conformance {
namespace {

using core::Causal;

// softmax(scale q k^T + mask) v in f32, heads repeated, rows that attend to nothing zero.
at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, double scale,
                  const std::optional<at::Tensor>& mask) {
  const std::int64_t repeat = q.size(1) / k.size(1);
  const at::Tensor keys = k.to(at::kFloat).repeat_interleave(repeat, 1);
  const at::Tensor values = v.to(at::kFloat).repeat_interleave(repeat, 1);
  at::Tensor scores = at::matmul(q.to(at::kFloat), keys.transpose(2, 3)) * scale;
  const double infinity = std::numeric_limits<double>::infinity();
  if (mask && mask->scalar_type() == at::kBool) {
    scores = scores.masked_fill(mask->logical_not(), -infinity);
  } else if (mask) {
    scores = scores + mask->to(at::kFloat);
  }
  return at::matmul(at::softmax(scores, -1).nan_to_num(0.0), values).to(q.scalar_type());
}

at::Tensor triangle(const at::Tensor& q, const at::Tensor& k, std::int64_t diagonal) {
  return at::ones({q.size(2), k.size(2)}, at::kBool).tril(diagonal);
}

struct AttentionCase {
  std::string name;
  std::int64_t kv_heads = 4;
  std::int64_t value_size = 8;
  Causal causal = Causal::none;
  bool self = false;  ///< as many keys as queries
  DTypes dtypes = kFloats;
};

void add_attention(Rows& rows, const AttentionCase& c) {
  rows.push_back({"attention/" + c.name, c.dtypes, Tolerance::accumulated, [=](Trial& t) {
                    const Extent n = t.dim(1, 2, 3);
                    const Extent queries = t.dim(1, 5, 7);
                    const Extent keys = c.self ? queries : t.dim(2, 6, 9);
                    const Value q = t.input({n, 4, queries, 8});
                    const Value k = t.input({n, c.kv_heads, keys, 8});
                    const Value v = t.input({n, c.kv_heads, keys, c.value_size});
                    t.output(t.net().one(core::Attention{0.3, c.causal}, {q, k, v, Value()}));
                    t.expect([=](const Tensors& x) -> Tensors {
                      std::optional<at::Tensor> mask;
                      if (c.causal == Causal::upper_left) mask = triangle(x[0], x[1], 0);
                      if (c.causal == Causal::lower_right) {
                        mask = triangle(x[0], x[1], x[1].size(2) - x[0].size(2));
                      }
                      return {attend(x[0], x[1], x[2], 0.3, mask)};
                    });
                  }});
}

void add_masked(Rows& rows, const std::string& name, bool boolean, bool broadcast, Fill fill) {
  rows.push_back({"attention/" + name, kFloats, Tolerance::accumulated, [=](Trial& t) {
                    const Extent n = t.dim(1, 2, 3);
                    const Extent queries = t.dim(1, 5, 7);
                    const Extent keys = t.dim(2, 6, 9);
                    const Value q = t.input({n, 4, queries, 8});
                    const Value k = t.input({n, 4, keys, 8});
                    const Value v = t.input({n, 4, keys, 8});
                    const core::Dims dims =
                        broadcast ? core::Dims{n, 1, 1, keys} : core::Dims{n, 4, queries, keys};
                    const Value mask = t.input(dims, fill, boolean ? DType::b : t.dtype());
                    t.output(t.net().one(core::Attention{0.35, Causal::none}, {q, k, v, mask}));
                    t.expect([](const Tensors& x) -> Tensors {
                      return {attend(x[0], x[1], x[2], 0.35, x[3])};
                    });
                  }});
}

void add_rope(Rows& rows, const std::string& name, bool interleaved, std::int64_t rotary,
              bool positions) {
  rows.push_back(
      {"rope/" + name, kFloats, Tolerance::pointwise, [=](Trial& t) {
         const Extent n = t.dim(1, 2, 3);
         const Extent length = t.dim(1, 5, 7);
         const std::int64_t r = rotary ? rotary : 8;
         const core::Dims table = positions ? core::Dims{16, r / 2} : core::Dims{n, length, r / 2};
         const Value x = t.input({n, 3, length, 8});
         const Value cos = t.input(table, uniform(-1, 1));
         const Value sin = t.input(table, uniform(-1, 1));
         Value ids;
         if (positions) ids = t.input({n, length}, whole(0, 16), DType::i64);
         t.output(t.net().one(core::Rope{interleaved, rotary}, {x, cos, sin, ids}));
         // Each pair (a, b) is the complex number a + bi, turned by cos + i sin.
         t.expect([=](const Tensors& in) -> Tensors {
           const auto rows_of = [&](at::Tensor table) {
             table = table.to(at::kFloat);
             return positions ? at::stack({table.index({in[3]})}, 1) : table.unsqueeze(1);
           };
           const at::Tensor turn = at::complex(rows_of(in[1]), rows_of(in[2]));
           const at::Tensor head = in[0].slice(3, 0, r).to(at::kFloat);
           const at::Tensor pairs = interleaved ? head.unflatten(3, {r / 2, 2})
                                                : head.unflatten(3, {2, r / 2}).transpose(3, 4);
           at::Tensor turned = at::view_as_real(at::view_as_complex(pairs.contiguous()) * turn);
           if (!interleaved) turned = turned.transpose(3, 4);
           return {at::cat({turned.flatten(3).to(in[0].scalar_type()), in[0].slice(3, r)}, 3)};
         });
       }});
}

}  // namespace

void add_attention_rows(Rows& rows) {
  add_attention(rows, {"plain"});
  add_attention(rows, {"grouped_heads", 2});
  add_attention(rows, {"one_kv_head", 1, 8, Causal::none, false, kF32});
  add_attention(rows, {"value_size", 4, 6, Causal::none, false, kF32});
  add_attention(rows, {"causal", 4, 8, Causal::upper_left, true});
  add_attention(rows, {"causal_cross", 4, 8, Causal::upper_left, false, kF32});
  add_attention(rows, {"causal_lower_right", 4, 8, Causal::lower_right, false, kF32});
  add_attention(rows, {"causal_grouped", 2, 8, Causal::upper_left, true, kF32});
  add_masked(rows, "bool_mask", true, false, booleans(0.8));
  add_masked(rows, "bool_mask_broadcast", true, true, booleans(0.8));
  add_masked(rows, "fully_masked_rows", true, false, booleans(0.1));
  add_masked(rows, "added_mask", false, false, normal());
  add_rope(rows, "halves", false, 0, false);
  add_rope(rows, "interleaved", true, 0, false);
  add_rope(rows, "partial", false, 4, false);
  add_rope(rows, "positions", true, 0, true);
  rows.push_back({"kv_update/plain", kFloats, Tolerance::exact, [](Trial& t) {
                    const Extent n = t.dim(1, 2, 3);
                    const Value cache = t.input({n, 3, 8, 4});
                    const Value update = t.input({n, 3, t.dim(1, 2, 4), 4});
                    const Value index = t.input({n}, whole(0, 5), DType::i64);
                    t.output(t.net().one(core::KvUpdate{}, {cache, update, index}));
                    t.expect([](const Tensors& x) -> Tensors {
                      const std::int64_t count = x[1].size(2);
                      const at::Tensor places = x[2].unsqueeze(1) + at::arange(count);
                      const at::Tensor index =
                          places.reshape({-1, 1, count, 1}).expand(x[1].sizes());
                      return {at::scatter(x[0], 2, index, x[1])};
                    });
                  }});
}

}  // namespace torch_tensorrt::engines::conformance
