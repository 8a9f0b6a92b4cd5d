#include <limits>

#include "engines/tensorrt/compose.h"
#include "engines/tensorrt/emit.h"

namespace torch_tensorrt::engines::tensorrt {

namespace {

/// Below every score, but a number: minus infinity times zero would be none.
double lowest(DType dtype) { return dtype == DType::f16 ? -65504.0 : -3.0e38; }

/// 0, 1, .. for each element of that axis of x.
Tensor counting(Writer& net, const Tensor& x, std::int64_t axis) {
  const Ref fill = net.add("add_fill", {Ints{1}, Symbol{"FillOperation", "LINSPACE"}, DType::i64});
  net.set_input(fill, 0, net.dim(x, axis));
  net.set_input(fill, 1, net.scalar_i64(0));
  net.set_input(fill, 2, net.ints({1}));
  return net.output(fill, DType::i64, {x.dims[static_cast<std::size_t>(axis)]});
}

/// True at [s, t] where query s may look at key t: t <= s, counted from the first of both, or from
/// the last.
Tensor causal_mask(const Site& site, core::Causal causal) {
  Writer& net = site.net();
  const Tensor &q = site.in(0), &k = site.in(1);
  Tensor rows = net.unsqueeze(counting(net, q, 2), {0, 1, 3});
  if (causal == core::Causal::lower_right) {
    const Tensor ahead = net.sub(net.dim(k, 2), net.dim(q, 2));
    rows = net.add(rows, net.reshape(ahead, {1, 1, 1, 1}));
  }
  const Tensor keys = net.unsqueeze(counting(net, k, 2), {0, 1, 2});
  return net.negate_bool(net.elementwise("GREATER", keys, rows));
}

/// The mask, causality included, or nothing: bool, true where a query attends.
std::optional<Tensor> mask_of(const core::Attention& layer, const Site& site) {
  if (layer.causal != core::Causal::none) return causal_mask(site, layer.causal);
  if (site.has(3)) return site.in(3);
  return std::nullopt;
}

/// Rows in which nothing attends give zeros, where a softmax gives NaN or the mean.
Tensor without_empty_rows(Writer& net, const Tensor& y, const Tensor& mask) {
  Tensor attends = mask;
  if (mask.dtype != DType::b)
    attends = net.elementwise("GREATER", mask, net.number_like(lowest(mask.dtype), mask));
  const Tensor any =
      net.cast(net.reduce("MAX", net.cast(attends, DType::i32), {3}, true), DType::b);
  return net.select(any, y, net.number_like(0, y));
}

/// [B,H,S,D] as [B,Hkv,H/Hkv,S,D], so that each group of heads shares keys by broadcasting.
Tensor grouped(const Site& site, const Tensor& q, std::int64_t groups) {
  Writer& net = site.net();
  const Ints dims{q.dims[0], groups, q.dims[1] / groups, q.dims[2], q.dims[3]};
  return net.reshape(q, net.shape(dims, {{&q, 0}, {}, {}, {&q, 2}, {}}), dims);
}

Tensor scores_with_mask(Writer& net, const Tensor& scores, const Tensor& mask, int rank) {
  const Tensor same_rank = rank == 5 ? net.unsqueeze(mask, {2}) : mask;
  if (mask.dtype != DType::b) return net.add(scores, same_rank);
  return net.select(same_rank, scores, net.number_like(lowest(scores.dtype), scores));
}

/// softmax(q k^T + mask) v of existing layers.
Tensor composed(const Site& site, const Tensor& q, const std::optional<Tensor>& mask) {
  Writer& net = site.net();
  const Tensor &k = site.in(1), &v = site.in(2);
  const std::int64_t heads = site.type(0).dims[1].opt, groups = site.type(1).dims[1].opt;
  const bool is_grouped = heads != groups;
  if (is_grouped && mask && mask->dims[1] != 1)
    throw site.refuse("takes no mask per head where heads share keys");
  const auto of_group = [&](const Tensor& x) { return is_grouped ? net.unsqueeze(x, {2}) : x; };
  Tensor scores = net.matmul(is_grouped ? grouped(site, q, groups) : q, of_group(k), false, true);
  if (mask) scores = scores_with_mask(net, scores, *mask, scores.rank());
  const Tensor y = net.matmul(net.softmax(scores, scores.rank() - 1), of_group(v));
  if (!is_grouped) return y;
  const Ints dims = site.result_dims();
  return net.reshape(y, net.shape(dims, {{&q, 0}, {}, {&q, 2}, {}}), dims);
}

/// One layer that TensorRT fuses.
Tensor fused(const Site& site, const Tensor& q, const std::optional<Tensor>& mask) {
  Writer& net = site.net();
  const Tensor &k = site.in(1), &v = site.in(2);
  const Ref attention = net.add(
      "add_attention", {q.ref, k.ref, v.ref, Symbol{"AttentionNormalizationOp", "SOFTMAX"}, false});
  if (mask) net.set(attention, "mask", mask->ref);
  // Without a kernel of its own it is taken apart, where it would be an error.
  net.set(attention, "decomposable", true);
  return net.output(attention, q.dtype, site.result_dims());
}

/// Halves of the rotated part: even and odd elements, or the first and the second half.
struct Halves {
  Tensor first, second;
};

}  // namespace

Tensors emit(const core::Attention& layer, const Site& site) {
  Writer& net = site.net();
  const Tensor q = net.mul(site.in(0), net.number_like(layer.scale, site.in(0)));
  const std::optional<Tensor> mask = mask_of(layer, site);
  const bool same_widths = site.type(1).dims[3] == site.type(2).dims[3];
  const bool is_grouped = site.type(0).dims[1] != site.type(1).dims[1];
  const bool can_fuse = net.since(10, 14) && same_widths && !is_grouped;
  const Tensor y = can_fuse ? fused(site, q, mask) : composed(site, q, mask);
  return {mask ? without_empty_rows(net, y, *mask) : y};
}

/// x * cos + rotated(x) * sin, by halves or by pairs; the rest of each head is left alone.
Tensors emit(const core::Rope& layer, const Site& site) {
  Writer& net = site.net();
  const Tensor& x = site.in(0);
  const std::int64_t width = site.type(0).dims[3].opt;
  const std::int64_t rotary = layer.rotary_dim ? layer.rotary_dim : width, half = rotary / 2;
  const auto table = [&](std::size_t operand) {
    const Tensor rows =
        site.has(3) ? net.gather(site.in(operand), site.in(3), 0) : site.in(operand);
    return net.unsqueeze(rows, {1});
  };
  const Tensor cos = table(1), sin = table(2);
  const std::int64_t step = layer.interleaved ? 2 : 1, second = layer.interleaved ? 1 : half;
  const Halves parts{net.slice_axis(x, 3, 0, half, step), net.slice_axis(x, 3, second, half, step)};
  Tensor first = net.sub(net.mul(parts.first, cos), net.mul(parts.second, sin));
  Tensor last = net.add(net.mul(parts.second, cos), net.mul(parts.first, sin));
  Tensor turned;
  if (layer.interleaved) {
    const Tensor pairs = net.concat({net.unsqueeze(first, {4}), net.unsqueeze(last, {4})}, 4);
    const Ints dims{x.dims[0], x.dims[1], x.dims[2], rotary};
    turned = net.reshape(pairs, net.shape(dims, {{&x, 0}, {&x, 1}, {&x, 2}, {}}), dims);
  } else {
    turned = net.concat({first, last}, 3);
  }
  if (rotary == width) return {turned};
  return {net.concat({turned, net.slice_axis(x, 3, rotary, width - rotary)}, 3)};
}

/// add_kv_cache_update writes in place, into memory that is not this engine's: a row of the result
/// is picked from the update where one goes there.
Tensors emit(const core::KvUpdate&, const Site& site) {
  Writer& net = site.net();
  const Tensor &cache = site.in(0), &update = site.in(1);
  const Tensor zero = net.number(0, DType::i64, 4), one = net.number(1, DType::i64, 4);
  const Tensor count = net.reshape(net.dim(update, 2), {1, 1, 1, 1});
  const Tensor offset = net.sub(net.unsqueeze(counting(net, cache, 2), {0, 1, 3}),
                                net.unsqueeze(site.in(2), {1, 2, 3}));
  const Tensor is_new =
      net.elementwise("AND", net.negate_bool(net.elementwise("LESS", offset, zero)),
                      net.elementwise("LESS", offset, count));
  const Tensor row =
      net.elementwise("MIN", net.elementwise("MAX", offset, zero), net.sub(count, one));
  const Ref picked = net.add(
      "add_gather_v2",
      {update.ref, broadcast(net, row, sizes_of(net, cache)).ref, Symbol{"GatherMode", "ELEMENT"}});
  net.set(picked, "axis", std::int64_t{2});
  return {net.select(is_new, net.output(picked, update.dtype, cache.dims), cache)};
}

}  // namespace torch_tensorrt::engines::tensorrt
