// Gathers, scatters and data-dependent results.

#include <algorithm>

#include "core/error.h"
#include "engines/tensorrt/compose.h"

namespace torch_tensorrt::engines::tensorrt {

using core::ScatterReduce;

namespace {

/// TensorRT looks at no more boxes, and drops the others in silence.
constexpr std::int64_t kMostBoxes = 5000;
/// Elements of the table (update by place) that a composed scatter computes.
constexpr std::int64_t kLargestTable = std::int64_t{1} << 28;
/// The same, for floats that a matrix product could sum with less memory.
constexpr double kMediumTable = 1 << 24;
constexpr int kMaxRank = 8;

std::size_t at(std::int64_t axis) { return static_cast<std::size_t>(axis); }

Tensor native_gather(Writer& net, const Tensor& x, const Tensor& indices, std::string_view mode,
                     std::int64_t axis, std::int64_t batch_dims, Ints result) {
  const Ref layer = net.add("add_gather_v2", {x.ref, indices.ref, Symbol{"GatherMode", mode}});
  net.set(layer, "axis", axis);
  net.set(layer, "num_elementwise_dims", batch_dims);
  return net.output(layer, x.dtype, std::move(result));
}

Tensor native_scatter(const Site& site, std::string_view mode, std::int64_t axis) {
  Writer& net = site.net();
  const Ref layer = net.add(
      "add_scatter", {site.in(0).ref, site.in(1).ref, site.in(2).ref, Symbol{"ScatterMode", mode}});
  if (mode == "ELEMENT") net.set(layer, "axis", axis);
  return net.output(layer, site.dtype(), site.in(0).dims);
}

/// The first `count` dimensions as one.
Tensor merge_leading(Writer& net, const Tensor& x, std::int64_t count) {
  const Sizes sizes = sizes_of(net, x);
  const auto end = sizes.begin() + count;
  Sizes merged = {product(net, Sizes(sizes.begin(), end))};
  merged.insert(merged.end(), end, sizes.end());
  return reshape(net, x, merged);
}

/// Gather with several batch dimensions: TensorRT has one, so they are one.
Tensor gather_batched(const core::Gather& layer, const Site& site) {
  Writer& net = site.net();
  const std::int64_t batch = layer.batch_dims, axis = layer.axis - batch + 1;
  const Sizes x = sizes_of(net, site.in(0)), indices = sizes_of(net, site.in(1));
  const Tensor flat_x = merge_leading(net, site.in(0), batch);
  const Tensor flat_indices = merge_leading(net, site.in(1), batch);
  Ints flat_dims(flat_x.dims.begin(), flat_x.dims.begin() + axis);
  flat_dims.insert(flat_dims.end(), flat_indices.dims.begin() + 1, flat_indices.dims.end());
  flat_dims.insert(flat_dims.end(), flat_x.dims.begin() + axis + 1, flat_x.dims.end());
  const Tensor y = native_gather(net, flat_x, flat_indices, "DEFAULT", axis, 1, flat_dims);
  Sizes dims(x.begin(), x.begin() + layer.axis);
  dims.insert(dims.end(), indices.begin() + batch, indices.end());
  dims.insert(dims.end(), x.begin() + layer.axis + 1, x.end());
  return reshape(net, y, dims);
}

// ---- scatters with a reduction: TensorRT's layer has none, and leaves duplicates undefined. They
// become a table of all updates by all places, with a neutral element where the index is another,
// reduced over the updates. ----

/// The names of the reduction and of the pointwise operation.
std::string_view reduction_of(ScatterReduce reduction) {
  switch (reduction) {
    case ScatterReduce::sum:
    case ScatterReduce::mean:
      return "SUM";
    case ScatterReduce::prod:
      return "PROD";
    case ScatterReduce::max:
      return "MAX";
    case ScatterReduce::min:
      return "MIN";
    case ScatterReduce::none:
      break;
  }
  throw core::internal_error("tensorrt: a scatter without a reduction is native");
}

/// x as it was, reduced with `updates`, which go to indices[.., k, ..] along `axis`. Off the axis
/// all dimensions are equal, and `places` is x's dimension along it.
struct Table {
  const Tensor &x, &indices, &updates;
  std::int64_t axis, places;
};

/// True where update k (axis) goes to place j (axis + 1).
Tensor hits(Writer& net, const Table& table) {
  const Tensor places = net.reshape(net.ints(iota(static_cast<int>(table.places))),
                                    along(table.x.rank() + 1, table.axis + 1, table.places));
  const Tensor indices = net.unsqueeze(net.cast(table.indices, DType::i64), {table.axis + 1});
  return net.elementwise("EQUAL", indices, places);
}

Tensor reduce_table(Writer& net, const Table& table, ScatterReduce reduction) {
  const Tensor& x = table.x;
  const Tensor hit = hits(net, table);
  const Tensor updates = net.unsqueeze(table.updates, {table.axis + 1});
  const bool keeps_greatest = reduction == ScatterReduce::max || reduction == ScatterReduce::min;
  const double neutral = reduction == ScatterReduce::prod ? 1 : 0;
  // Neutral for max and min is x itself, whose range is not known here.
  const Tensor otherwise =
      keeps_greatest ? net.unsqueeze(x, {table.axis}) : net.number_like(neutral, updates);
  const auto reduced = [&](const Tensor& a, const Tensor& b) {
    return net.reduce(reduction_of(reduction), net.select(hit, a, b), {table.axis}, false);
  };
  const Tensor y = net.elementwise(reduction_of(reduction), x, reduced(updates, otherwise));
  if (reduction != ScatterReduce::mean) return y;
  const Tensor one = net.number_like(1, updates), zero = net.number_like(0, updates);
  const Tensor count = net.add(reduced(one, zero), net.number_like(1, x));
  // On integers ATen rounds the mean down.
  return net.elementwise(is_float(x.dtype) ? "DIV" : "FLOOR_DIV", y, count);
}

double table_elements(const core::Dims& updates, std::int64_t places) {
  double elements = static_cast<double>(places);
  for (const core::Extent& dim : updates) elements *= static_cast<double>(dim.max);
  return elements;
}

void require_table_fits(const Site& site, const core::Dims& updates, std::int64_t places) {
  const double elements = table_elements(updates, places);
  if (elements > static_cast<double>(kLargestTable)) {
    throw site.refuse("TensorRT scatters without reductions, and comparing each update with each ",
                      "place takes ", elements, " elements, expected at most ", kLargestTable,
                      "; lower the maxima of dynamic dimensions, or keep it in PyTorch");
  }
  if (updates.size() >= kMaxRank)
    throw site.refuse("a reduction needs one more dimension, expected a rank below ", kMaxRank);
}

/// `tensor` with x's dimensions off the axis, where it has fewer elements: `fill` is in those.
Tensor extended(Writer& net, const Tensor& tensor, const Tensor& x, std::int64_t axis,
                double fill) {
  Cut cut = whole(net, tensor);
  for (std::int64_t i = 0; i < x.rank(); ++i) {
    if (i != axis) cut.size[at(i)] = size_of(net, x, i);
  }
  cut.mode = "FILL";
  cut.fill = net.number(fill, tensor.dtype);
  return slice(net, tensor, cut);
}

bool equal_off_axis(const Site& site, std::int64_t axis) {
  for (std::int64_t i = 0; i < site.rank(); ++i) {
    if (i != axis && site.type(0).dims[at(i)] != site.type(1).dims[at(i)]) return false;
  }
  return true;
}

Tensor scatter_reduced(const core::ScatterElements& layer, const Site& site) {
  Writer& net = site.net();
  const Tensor& x = site.in(0);
  const std::int64_t places = x.dims[at(layer.axis)];
  if (places < 0) {
    throw site.refuse("a scatter with a reduction needs a static size of axis ", layer.axis,
                      "; make that dimension static");
  }
  core::Dims updates = site.type(0).dims;
  updates[at(layer.axis)] = site.type(1).dims[at(layer.axis)];
  require_table_fits(site, updates, places);
  if (equal_off_axis(site, layer.axis))
    return reduce_table(net, {x, site.in(1), site.in(2), layer.axis, places}, layer.reduction);
  // An index past the end hits no place.
  const Tensor indices = extended(net, site.in(1), x, layer.axis, static_cast<double>(places));
  const Tensor values = extended(net, site.in(2), x, layer.axis, 0);
  return reduce_table(net, {x, indices, values, layer.axis, places}, layer.reduction);
}

/// The tuples of `indices` as one index each, of x's leading dimensions flattened.
Tensor flat_indices(Writer& net, const Tensor& indices, const Ints& leading) {
  Ints strides(leading.size(), 1);
  for (std::size_t i = leading.size() - 1; i > 0; --i) strides[i - 1] = strides[i] * leading[i];
  const Tensor factors = net.reshape(
      net.ints(strides),
      along(indices.rank(), indices.rank() - 1, static_cast<std::int64_t>(strides.size())));
  const Tensor terms = net.mul(net.cast(indices, DType::i64), factors);
  return net.reduce("SUM", terms, {indices.rank() - 1}, /*keepdims=*/false);
}

/// rows [P, R] plus updates [M, R] at indices [M, 1], by one matrix product: its table is without
/// the rows, but an infinite update spreads, and the engine may round to tf32.
Tensor add_by_product(Writer& net, const Tensor& rows, const Tensor& indices,
                      const Tensor& updates) {
  const std::int64_t count = rows.dims[0];
  const Tensor places = net.reshape(net.ints(iota(static_cast<int>(count))), {1, count});
  const Tensor hit = net.cast(net.elementwise("EQUAL", indices, places), rows.dtype);
  return net.add(rows, net.matmul(hit, updates, /*transpose_a=*/true));
}

/// As x [P, R], indices [M, 1] and updates [M, R].
Tensor scatter_nd_reduced(const core::ScatterNd& layer, const Site& site) {
  Writer& net = site.net();
  const Tensor& x = site.in(0);
  const std::int64_t length = site.in(1).dims.back();
  const Ints leading(x.dims.begin(), x.dims.begin() + length);
  if (std::ranges::count(leading, -1)) {
    throw site.refuse("a scatter with a reduction needs static sizes of the ", length,
                      " dimensions that the indices name; make them static");
  }
  std::int64_t places = 1;
  for (const std::int64_t dim : leading) places *= dim;
  const Sizes sizes = sizes_of(net, x);
  const Size row = product(net, Sizes(sizes.begin() + length, sizes.end()));
  const Tensor tuples = flat_indices(net, site.in(1), leading);
  const Size count = product(net, sizes_of(net, tuples));
  const Tensor rows = reshape(net, x, {places, row});
  const Tensor indices = reshape(net, tuples, {count, std::int64_t{1}});
  const Tensor updates = reshape(net, site.in(2), {count, row});
  const bool sums_floats = layer.reduction == ScatterReduce::sum && is_float(x.dtype);
  if (sums_floats && table_elements(site.type(2).dims, places) > kMediumTable) {
    const core::Dims tuple_dims(site.type(1).dims.begin(), site.type(1).dims.end() - 1);
    require_table_fits(site, tuple_dims, places);
    return reshape(net, add_by_product(net, rows, indices, updates), sizes);
  }
  require_table_fits(site, site.type(2).dims, places);
  const Tensor y = reduce_table(net, {rows, indices, updates, 0, places}, layer.reduction);
  return reshape(net, y, sizes);
}

}  // namespace

Tensors emit(const core::Gather& layer, const Site& site) {
  if (layer.batch_dims > 1) return {gather_batched(layer, site)};
  return {native_gather(site.net(), site.in(0), site.in(1), "DEFAULT", layer.axis, layer.batch_dims,
                        site.result_dims())};
}

Tensors emit(const core::GatherElements& layer, const Site& site) {
  return {native_gather(site.net(), site.in(0), site.in(1), "ELEMENT", layer.axis, 0,
                        site.result_dims())};
}

Tensors emit(const core::GatherNd& layer, const Site& site) {
  return {native_gather(site.net(), site.in(0), site.in(1), "ND", 0, layer.batch_dims,
                        site.result_dims())};
}

Tensors emit(const core::ScatterElements& layer, const Site& site) {
  if (layer.reduction == ScatterReduce::none) return {native_scatter(site, "ELEMENT", layer.axis)};
  return {scatter_reduced(layer, site)};
}

Tensors emit(const core::ScatterNd& layer, const Site& site) {
  if (layer.reduction == ScatterReduce::none) return {native_scatter(site, "ND", 0)};
  return {scatter_nd_reduced(layer, site)};
}

Tensors emit(const core::OneHot& layer, const Site& site) {
  Writer& net = site.net();
  const Tensor values = net.concat({net.reshape(site.in(2), {1}), net.reshape(site.in(1), {1})}, 0);
  const Tensor depth = net.scalar_i64(layer.depth);
  const Ref layer_ref = net.add("add_one_hot", {site.in(0).ref, values.ref, depth.ref, layer.axis});
  return {net.output(layer_ref, values.dtype, site.result_dims())};
}

// Not every version gives i64 indices of data-dependent results: i32, and a cast.

Tensors emit(const core::NonZero&, const Site& site) {
  Writer& net = site.net();
  const Ref layer = net.add("add_non_zero", {site.in(0).ref});
  return {net.cast(net.output(layer, DType::i32, site.result_dims()), DType::i64)};
}

Tensors emit(const core::Nms& layer, const Site& site) {
  const core::Extent& classes = site.type(1).dims[1];
  if (classes != core::Extent(1)) {
    throw site.refuse("scores have ", core::to_text(classes), " classes, expected 1: TensorRT ",
                      "orders the boxes of all classes by score; suppress class by class, or keep ",
                      "it in PyTorch");
  }
  if (site.type(0).dims[1].max > kMostBoxes) {
    throw site.refuse("there are ", core::to_text(site.type(0).dims[1]),
                      " boxes, expected at most ", kMostBoxes,
                      ": TensorRT drops the others; select the best ones before");
  }
  Writer& net = site.net();
  const Tensor boxes = net.cast(site.in(0), DType::f32);
  const Tensor scores = net.cast(net.transpose(site.in(1), {0, 2, 1}), DType::f32);
  const auto most_boxes = static_cast<double>(std::min(layer.max_per_class, kMostBoxes));
  const Tensor most = net.number(most_boxes, DType::i32);
  const Tensor iou = net.number(layer.iou_threshold, DType::f32);
  const Tensor score = net.number(layer.score_threshold, DType::f32);
  const Ref nms = net.add("add_nms", {boxes.ref, scores.ref, most.ref});
  net.set_input(nms, 3, iou);
  net.set_input(nms, 4, score);
  const bool corners = layer.form == core::BoxForm::corners;
  net.set(nms, "bounding_box_format",
          Symbol{"BoundingBoxFormat", corners ? "CORNER_PAIRS" : "CENTER_SIZES"});
  return {net.cast(net.output(nms, DType::i32, site.result_dims()), DType::i64)};
}

}  // namespace torch_tensorrt::engines::tensorrt
