#include <cmath>

#include "core/infer.h"

namespace torch_tensorrt::core {
namespace {

std::optional<Content> gather_content(const Operands& in) {
  const Content *x = in.content(0), *indices = in.content(1);
  if (x == nullptr || indices == nullptr || in[0].rank() != 1) return std::nullopt;
  Content out;
  for (const Extent& index : *indices) {
    const auto size = static_cast<std::int64_t>(x->size());
    if (index.dynamic) return std::nullopt;
    in.require(0 <= index.min && index.min < size, "C4", "index is ", index, ", expected 0..",
               size - 1);
    out.push_back((*x)[static_cast<std::size_t>(index.min)]);
  }
  return out;
}

/// A dimension with an upper bound that the data decide on.
Extent up_to(const Extent& bound) { return as_dim(Extent::range(0, bound.opt, bound.max)); }

/// Results of the nd kinds: indices' leading dims, then x's from `first` on.
Dims nd_dims(const Operands& in, std::size_t first) {
  Dims dims(in.dims(1).begin(), in.dims(1).end() - 1);
  dims.insert(dims.end(), in.dims(0).begin() + static_cast<long>(first), in.dims(0).end());
  return dims;
}

/// The static length of an index tuple, which names `least`..`most` axes.
std::int64_t tuple_length(const Operands& in, int most) {
  in.require_rank(1, 1, kMaxRank, "C2");
  const Extent length = in.dims(1).back();
  in.require(length.is_static() && 1 <= length.min && length.min <= most, "C3", "indices has ",
             length, " entries per index, expected a static number in 1..", most, " (x is ", in[0],
             ")");
  return length.min;
}

}  // namespace

// C1 indices i32 or i64 · C2 axis in range, 0 <= batch_dims <= axis and indices' rank · C3 equal
// batch dimensions C4 known indices within 0..dim-1
Results infer(const Gather& layer, const Operands& in) {
  in.require_int_index(1, "C1");
  in.require_axis(layer.axis, in[0].rank(), "C2");
  in.require(
      0 <= layer.batch_dims && layer.batch_dims <= std::min<std::int64_t>(layer.axis, in[1].rank()),
      "C2", "batch_dims is ", layer.batch_dims, ", expected at most the axis, ", layer.axis,
      ", and indices' rank, ", in[1].rank());
  Dims dims(in.dims(0).begin(), in.dims(0).begin() + layer.axis);
  for (std::int64_t i = 0; i < layer.batch_dims; ++i)
    in.require_dim(1, i, in.dim(0, i), "C3", "x's batch");
  dims.insert(dims.end(), in.dims(1).begin() + layer.batch_dims, in.dims(1).end());
  dims.insert(dims.end(), in.dims(0).begin() + layer.axis + 1, in.dims(0).end());
  return {{TensorType{in[0].dtype, std::move(dims)}, gather_content(in)}};
}

// C1 indices i32 or i64 · C2 axis in range · C3 x's dimensions except along axis
Results infer(const GatherElements& layer, const Operands& in) {
  in.require_int_index(1, "C1");
  in.require_axis(layer.axis, in[0].rank(), "C2");
  in.require_rank(1, in[0].rank(), "C3");
  for (int axis = 0; axis < in[0].rank(); ++axis) {
    if (axis != layer.axis) in.require_dim(1, axis, in.dim(0, axis), "C3", "as in x");
  }
  return one(in[0].dtype, in.dims(1));
}

// C1 indices i32 or i64 · C2 batch_dims below both ranks, equal batch dimensions · C3 index length
// static
Results infer(const GatherNd& layer, const Operands& in) {
  in.require_int_index(1, "C1");
  in.require(0 <= layer.batch_dims && layer.batch_dims < std::min(in[0].rank(), in[1].rank()), "C2",
             "batch_dims is ", layer.batch_dims, ", expected less than both ranks, ", in[0].rank(),
             " and ", in[1].rank());
  for (std::int64_t i = 0; i < layer.batch_dims; ++i)
    in.require_dim(1, i, in.dim(0, i), "C2", "x's batch");
  const std::int64_t length = tuple_length(in, in[0].rank() - static_cast<int>(layer.batch_dims));
  return one(in[0].dtype, nd_dims(in, static_cast<std::size_t>(layer.batch_dims + length)));
}

// C1 indices i32 or i64, updates of x's dtype · C2 axis in range · C3 indices and updates of equal
// dimensions, x's rank C4 no larger than x except along axis
Results infer(const ScatterElements& layer, const Operands& in) {
  in.require_int_index(1, "C1");
  in.require_dtype(2, in[0].dtype, "C1");
  in.require_axis(layer.axis, in[0].rank(), "C2");
  in.require_rank(1, in[0].rank(), "C3");
  in.require_rank(2, in[0].rank(), "C3");
  in.require(layer.reduction == ScatterReduce::none || is_num(in[0].dtype), "C1", "x is ",
             in[0].dtype, ", expected numbers for a reduction");
  for (int axis = 0; axis < in[0].rank(); ++axis) {
    in.require_dim(2, axis, in.dim(1, axis), "C3", "as in indices");
    in.require(axis == layer.axis || in.dim(1, axis).min <= in.dim(0, axis).max, "C4",
               "indices has ", in.dim(1, axis), " at axis ", axis, ", expected at most ",
               in.dim(0, axis));
  }
  return one(in[0]);
}

// C1 indices i32 or i64, updates of x's dtype · C2 updates [indices[:-1], x[k:]] · C3 index length
// static
Results infer(const ScatterNd& layer, const Operands& in) {
  in.require_int_index(1, "C1");
  in.require_dtype(2, in[0].dtype, "C1");
  in.require(layer.reduction == ScatterReduce::none || is_num(in[0].dtype), "C1", "x is ",
             in[0].dtype, ", expected numbers for a reduction");
  const std::int64_t length = tuple_length(in, in[0].rank());
  const Dims expected = nd_dims(in, static_cast<std::size_t>(length));
  in.require_rank(2, static_cast<int>(expected.size()), "C2");
  for (std::size_t i = 0; i < expected.size(); ++i) {
    in.require_dim(2, static_cast<std::int64_t>(i), expected[i], "C2",
                   text("expected [", join(expected), "]"));
  }
  return one(in[0]);
}

// C1 indices i32 or i64 · C2 on and off: scalars of one dtype · C3 depth >= 1 · C4 axis is a
// position in the result
Results infer(const OneHot& layer, const Operands& in) {
  in.require_int_index(0, "C1");
  in.require_rank(1, 0, "C2");
  in.require_rank(2, 0, "C2");
  in.require_dtype(2, in[1].dtype, "C2");
  in.require(1 <= layer.depth && layer.depth <= kMaxDim, "C3", "depth is ", layer.depth,
             ", expected at least 1");
  in.require_axis(layer.axis, in[0].rank() + 1, "C4");
  Dims dims = in.dims(0);
  dims.insert(dims.begin() + layer.axis, Extent(layer.depth));
  return one(in[1].dtype, std::move(dims));
}

// C1 numbers or bool · C2 rank >= 1
Results infer(const NonZero& /*layer*/, const Operands& in) {
  if (in[0].dtype != DType::b) in.require_num(0, "C1");
  in.require_rank(0, 1, kMaxRank, "C2");
  return one(DType::i64, {in[0].rank(), up_to(product(in.dims(0), 0, in.dims(0).size()))});
}

// C1 floating, one dtype · C2 boxes [B,n,4] · C3 scores [B,classes,n] · C4 max_per_class >= 0,
// thresholds are numbers
Results infer(const Nms& layer, const Operands& in) {
  in.require_float(0, "C1");
  in.require_dtype(1, in[0].dtype, "C1");
  in.require_rank(0, 3, "C2");
  in.require_dim(0, 2, 4, "C2", "the corners of a box");
  in.require_rank(1, 3, "C3");
  in.require_dim(1, 0, in.dim(0, 0), "C3", "boxes' batch");
  in.require_dim(1, 2, in.dim(0, 1), "C3", "one score per box");
  in.require(layer.max_per_class >= 0, "C4", "max_per_class is ", layer.max_per_class,
             ", expected at least 0");
  in.require(!std::isnan(layer.iou_threshold) && !std::isnan(layer.score_threshold), "C4",
             "iou_threshold is ", layer.iou_threshold, " and score_threshold ",
             layer.score_threshold, ", expected numbers");
  const Extent per_class =
      pointwise([&](std::int64_t n) { return std::min(n, layer.max_per_class); }, in.dim(0, 1));
  return one(DType::i64, {up_to(mul(mul(in.dim(1, 0), in.dim(1, 1)), per_class)), 3});
}

}  // namespace torch_tensorrt::core
