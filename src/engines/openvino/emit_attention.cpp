// Attention and what belongs to it. The plugin takes ScaledDotProductAttention apart itself, and
// slower than this form.

#include <algorithm>
#include <limits>

#include "core/error.h"
#include "engines/openvino/emit.h"

namespace torch_tensorrt::engines::openvino {

using core::Causal;
using core::DType;

namespace {

constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();

/// What is added to the scores, and which rows [.., S, 1] have anything to attend to.
struct Mask {
  Out added;
  Out any;  ///< no node: every row has
};

Out minus_infinity_where_false(const Out& attends, const ov::element::Type& type) {
  return select(attends, number(0, type), number(kMinusInfinity, type));
}

/// True where a constant mask leaves every row something: bool, or f32 above minus infinity.
bool every_row_attends(const core::Tensor& mask) {
  if (mask.dims.empty() || mask.dims.back() == 0) return false;
  const auto row = static_cast<std::size_t>(mask.dims.back());
  const auto each_row_has = [row](auto elements, auto attends) {
    for (std::size_t i = 0; i < elements.size(); i += row) {
      if (std::ranges::none_of(elements.subspan(i, row), attends)) return false;
    }
    return true;
  };
  if (mask.dtype == DType::b) {
    return each_row_has(mask.bytes.as<std::uint8_t>(), [](std::uint8_t e) { return e != 0; });
  }
  return mask.dtype == DType::f32 && each_row_has(mask.bytes.as<float>(), [](float e) {
           return e > -std::numeric_limits<float>::infinity();
         });
}

Mask given_mask(const Site& site) {
  const Out mask = site.in(3);
  const auto type = site.in(0).get_element_type();
  const bool is_bool = mask.get_element_type() == ov::element::boolean;
  const Out added = is_bool ? minus_infinity_where_false(mask, type) : mask;
  const core::Tensor* constant = site.constant(3);
  if (constant && every_row_attends(*constant)) return {added, {}};
  // Not ReduceMax: of minus infinities it makes the lowest finite number.
  const Out attends = is_bool ? mask : make<op::v1::Less>(number_like(kMinusInfinity, mask), mask);
  return {added, make<op::v1::ReduceLogicalOr>(attends, vector_of({3}), true)};
}

/// Row i attends to columns up to i, or up to i + T - S.
Mask causal_mask(Causal causal, const Site& site) {
  const auto type = site.in(0).get_element_type();
  const Out rows = dim(site.in(0), 2);
  const Out columns = dim(site.in(1), 2);
  const auto i64 = ov::element::i64;
  Out last = unsqueeze(counting(rows, i64), {1});
  if (causal == Causal::lower_right) last = add(last, sub(columns, rows));
  const Out column = unsqueeze(counting(columns, i64), {0});
  const Out attends = unsqueeze(make<op::v1::LessEqual>(column, last), {0, 1});
  Out any;
  if (causal == Causal::lower_right && site.type(0).dims[2].max > site.type(1).dims[2].min) {
    any = unsqueeze(make<op::v1::LessEqual>(scalar_of(0), last), {0, 1});
  }
  return {minus_infinity_where_false(attends, type), any};
}

}  // namespace

Outs emit(const core::Attention& layer, const Site& site) {
  Out q = site.in(0);
  const std::int64_t heads = site.type(0).dims[1].opt;
  const std::int64_t kv_heads = site.type(1).dims[1].opt;
  const bool grouped = heads != kv_heads;
  if (layer.scale != 1) q = mul(q, number_like(layer.scale, q));

  // Heads that share keys become more rows of one head: k and v need no repetition.
  const auto fold = [&](const Out& x) {
    return grouped ? reshape_copying(x, {0, kv_heads, -1, 0}) : x;
  };
  const auto unfold = [&](const Out& x) {
    return grouped ? reshape_copying(x, {0, heads, -1, 0}) : x;
  };
  if (grouped) q = reshape_copying(q, {0, kv_heads, -1, site.type(0).dims[3].opt});
  Out scores = make<op::v0::MatMul>(q, site.in(1), false, true);

  Mask mask;
  if (site.has(3))
    mask = given_mask(site);
  else if (layer.causal != Causal::none)
    mask = causal_mask(layer.causal, site);
  if (mask.added.get_node()) scores = fold(add(unfold(scores), mask.added));

  const Out weights = make<op::v8::Softmax>(scores, 3);
  Out y = unfold(make<op::v0::MatMul>(weights, site.in(2), false, false));
  if (mask.any.get_node()) y = select(mask.any, y, number_like(0, y));
  return {y};
}

Outs emit(const core::Rope& layer, const Site& site) {
  const Out x = site.in(0);
  const std::int64_t width = site.type(0).dims[3].opt;
  const std::int64_t rotary = layer.rotary_dim > 0 ? layer.rotary_dim : width;
  const std::int64_t half = rotary / 2;
  const auto table = [&](std::size_t i) {
    const Out rows =
        site.has(3) ? make<op::v8::Gather>(site.in(i), site.in(3), scalar_of(0)) : site.in(i);
    return unsqueeze(rows, {1});
  };
  const Out cos = table(1);
  const Out sin = table(2);
  const Out first = layer.interleaved ? slice(x, 3, 0, rotary, 2) : slice(x, 3, 0, half);
  const Out second = layer.interleaved ? slice(x, 3, 1, rotary, 2) : slice(x, 3, half, rotary);
  const Out turned_first = sub(mul(first, cos), mul(second, sin));
  const Out turned_second = add(mul(second, cos), mul(first, sin));

  Outs parts = {turned_first, turned_second};
  if (layer.interleaved) {
    const Out pairs = concat({unsqueeze(turned_first, {4}), unsqueeze(turned_second, {4})}, 4);
    parts = {make<op::v1::Reshape>(pairs, vector_of({0, 0, 0, rotary}), true)};
  }
  if (rotary < width) parts.push_back(slice(x, 3, rotary, width));
  return {parts.size() == 1 ? parts.front() : concat(parts, 3)};
}

Outs emit(const core::KvUpdate&, const Site& site) {
  const Out cache = site.in(0);
  const Out update = site.in(1);
  const auto i64 = ov::element::i64;
  // Where each row of the update goes, as (b, h, t).
  const Out grid = concat({dim_vector(update, 0), dim_vector(update, 1), dim_vector(update, 2)}, 0);
  const auto spread = [&](const Out& x) {
    return unsqueeze(make<op::v3::Broadcast>(x, grid), {3});
  };
  const Out batch = unsqueeze(counting(dim(update, 0), i64), {1, 2});
  const Out head = unsqueeze(counting(dim(update, 1), i64), {0, 2});
  const Out step = unsqueeze(counting(dim(update, 2), i64), {0, 1});
  const Out row = add(step, unsqueeze(convert(site.in(2), i64), {1, 2}));
  const Out where = concat({spread(batch), spread(head), spread(row)}, 3);
  return {make<op::v15::ScatterNDUpdate>(cache, where, update)};
}

}  // namespace torch_tensorrt::engines::openvino
