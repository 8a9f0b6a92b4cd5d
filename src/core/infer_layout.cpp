#include <set>

#include "core/infer.h"

namespace torch_tensorrt::core {
namespace {

/// Content survives where elements neither move nor multiply: between rank 0 and 1.
Results with_content_of(const Operands& in, TensorType type) {
  Result result{std::move(type)};
  if (in.content(0) != nullptr && result.type.rank() <= 1) result.content = *in.content(0);
  return {std::move(result)};
}

/// The size that -1 stands for. Where sizes vary but the quotient does not ([N, 4, 8] as [N, -1]),
/// the dynamic dimensions cancel and the result is a number.
Extent inferred_dim(const Operands& in, const Dims& known) {
  const Extent total = product(in.dims(0), 0, in.dims(0).size());
  const Extent rest = product(known, 0, known.size());
  in.require(
      total.dynamic || rest.dynamic || (rest.min == 0 ? total.min == 0 : total.min % rest.min == 0),
      "C3", "x has ", total, " elements, expected a multiple of ", rest, " (x is ", in[0],
      ", shape [", join(known), "] and -1)");
  Extent out =
      pointwise([](std::int64_t n, std::int64_t d) { return d == 0 ? 0 : n / d; }, total, rest);
  const bool both_vary =
      total.dynamic && rest.dynamic && total.min != total.max && rest.min != rest.max;
  const bool exact = rest.min > 0 && total.min % rest.min == 0 && total.max % rest.max == 0;
  if (both_vary && exact && out.min == out.opt && out.opt == out.max) out.dynamic = false;
  return as_dim(out);
}

void check_distinct_axes_of_result(const Operands& in, const Ints& axes, int rank) {
  in.require(rank <= kMaxRank, "C2", "the result has rank ", rank, ", expected at most ", kMaxRank);
  in.require_axes(axes, rank, "C1");
}

std::optional<Content> slice_content(const Operands& in, const Content& x, const Content& start,
                                     const Content& size, const Content& step) {
  if (!start[0].is_static() || !size[0].is_static() || !step[0].is_static()) return std::nullopt;
  Content out;
  for (std::int64_t i = 0; i < size[0].min; ++i) {
    const std::int64_t at = start[0].min + i * step[0].min;
    in.require(0 <= at && at < static_cast<std::int64_t>(x.size()), "C4", "index ", at,
               " is out of 0..", x.size());
    out.push_back(x[static_cast<std::size_t>(at)]);
  }
  return out;
}

// C1 [N,C,H,W] · C2 block >= 1 · C3 the divided dimensions are multiples of it
void check_blocks(const Operands& in, std::int64_t block) {
  in.require_rank(0, 4, "C1");
  in.require(1 <= block && block <= 1 << 20, "C2", "block is ", block, ", expected at least 1");
}

Extent divided(const Operands& in, int axis, std::int64_t by) {
  const Extent dim = in.dim(0, axis);
  in.require(dim.dynamic || dim.min % by == 0, "C3", "x has ", dim, " at axis ", axis,
             ", expected a multiple of ", by);
  return as_dim(pointwise([&](std::int64_t d) { return d / by; }, dim));
}

}  // namespace

// C1 shape: host vector of sizes >= 0 and at most one -1 · C2 equal element counts · C3 -1 divides
// evenly
Results infer(const Reshape& /*layer*/, const Operands& in) {
  const Content shape = in.host_vector(1, "C1");
  Dims dims, known;
  std::optional<std::size_t> inferred;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const Extent& e = shape[i];
    const bool infer_it = e == Extent(-1);
    in.require(e.dynamic || infer_it || (0 <= e.min && e.min <= kMaxDim), "C1", "shape is [",
               join(shape), "], expected sizes >= 0 or -1");
    in.require(!infer_it || !inferred, "C1", "shape is [", join(shape),
               "], expected at most one -1");
    dims.push_back(as_dim(e));
    if (infer_it) {
      inferred = i;
    } else {
      known.push_back(as_dim(e));
    }
  }
  if (inferred) {
    dims[*inferred] = inferred_dim(in, known);
  } else {
    const Extent from = product(in.dims(0), 0, in.dims(0).size());
    const Extent to = product(dims, 0, dims.size());
    in.require(from.dynamic || to.dynamic || from.min == to.min, "C2", "x has ", from,
               " elements and shape [", join(dims), "] has ", to, ", expected equal counts (x is ",
               in[0], ")");
  }
  return with_content_of(in, {in[0].dtype, std::move(dims)});
}

// C1 perm is a permutation of x's axes
Results infer(const Transpose& layer, const Operands& in) {
  in.require(layer.perm.size() == in.dims(0).size(), "C1", "perm has ", layer.perm.size(),
             " axes, expected ", in[0].rank());
  in.require_axes(layer.perm, in[0].rank(), "C1");
  Dims dims;
  for (const std::int64_t axis : layer.perm) dims.push_back(in.dim(0, axis));
  return with_content_of(in, {in[0].dtype, std::move(dims)});
}

// C1 axes in range and unique · C2 every squeezed dimension is 1
Results infer(const Squeeze& layer, const Operands& in) {
  in.require_axes(layer.axes, in[0].rank(), "C1");
  Dims dims;
  for (int axis = 0; axis < in[0].rank(); ++axis) {
    if (std::find(layer.axes.begin(), layer.axes.end(), axis) == layer.axes.end()) {
      dims.push_back(in.dim(0, axis));
    } else {
      in.require_dim(0, axis, 1, "C2", "a squeezed axis");
    }
  }
  return with_content_of(in, {in[0].dtype, std::move(dims)});
}

// C1 axes are positions in the result, unique · C2 the result's rank is at most 16
Results infer(const Unsqueeze& layer, const Operands& in) {
  const std::size_t rank = in.dims(0).size() + layer.axes.size();
  check_distinct_axes_of_result(in, layer.axes,
                                static_cast<int>(std::min<std::size_t>(rank, kMaxRank + 1)));
  Dims dims = in.dims(0);
  Ints sorted = layer.axes;
  std::sort(sorted.begin(), sorted.end());
  for (const std::int64_t axis : sorted) dims.insert(dims.begin() + axis, Extent(1));
  return with_content_of(in, {in[0].dtype, std::move(dims)});
}

// C1 shape: host vector of x's rank, sizes >= 0 · C2 each dimension of x is 1 or the target's
Results infer(const Broadcast& /*layer*/, const Operands& in) {
  Dims dims = in.host_dims(1, "C1");
  in.require(dims.size() == in.dims(0).size(), "C1", "shape has ", dims.size(),
             " elements, expected ", in[0].rank(), " (x is ", in[0], ")");
  for (std::size_t i = 0; i < dims.size(); ++i) {
    const Extent& x = in.dims(0)[i];
    in.require(may_equal(x, 1) || may_equal(x, dims[i]), "C2", "x has ", x, " at axis ", i,
               ", expected 1 or ", dims[i], " (x is ", in[0], ")");
    if (x.is_static() && x.min != 1) dims[i] = x;
  }
  Result result{TensorType{in[0].dtype, std::move(dims)}};
  if (in.content(0) != nullptr && result.type.is_static() && volume(result.type.dims) <= 64) {
    const Content& x = *in.content(0);
    result.content =
        x.size() == 1 ? Content(static_cast<std::size_t>(volume(result.type.dims)), x.front()) : x;
  }
  return {std::move(result)};
}

// C1 at least one operand of rank >= 1 · C2 equal ranks and dtypes · C3 axis in range · C4 equal
// dimensions except axis
Results infer(const Concat& layer, const Operands& in) {
  in.require(in.count() >= 1, "C1", "no operand, expected at least one");
  in.require_rank(0, 1, kMaxRank, "C1");
  in.require_axis(layer.axis, in[0].rank(), "C3");
  Result result{in[0]};
  result.content = Content();
  for (int i = 0; i < in.count(); ++i) {
    in.require_rank(i, in[0].rank(), "C2");
    in.require_dtype(i, in[0].dtype, "C2");
    for (int axis = 0; axis < in[0].rank(); ++axis) {
      Extent& dim = result.type.dims[static_cast<std::size_t>(axis)];
      if (axis != layer.axis) {
        in.require_dim(i, axis, dim, "C4", "as in the operands before");
        dim = unify(dim, in.dim(i, axis));
      } else if (i > 0) {
        dim = add(dim, in.dim(i, axis));
      }
    }
    if (in.content(i) == nullptr || !result.content ||
        result.content->size() + in.content(i)->size() > kMaxContent) {
      result.content.reset();
    } else {
      result.content->insert(result.content->end(), in.content(i)->begin(), in.content(i)->end());
    }
  }
  return {std::move(result)};
}

// C1 axis in range · C2 1 to 4096 sizes, all >= 0 · C3 the sizes sum to the dimension
Results infer(const Split& layer, const Operands& in) {
  in.require_axis(layer.axis, in[0].rank(), "C1");
  in.require(!layer.sizes.empty() && layer.sizes.size() <= kMaxResults, "C2", layer.sizes.size(),
             " sizes, expected 1 to ", kMaxResults);
  in.require_list(layer.sizes, layer.sizes.size(), 0, "sizes", "C2");
  std::int64_t sum = 0;
  for (const std::int64_t size : layer.sizes) sum = saturating_add(sum, size);
  in.require_dim(0, layer.axis, sum, "C3", "the sum of sizes");
  Results results;
  std::size_t begin = 0;
  const bool known =
      in.content(0) != nullptr && in.content(0)->size() == static_cast<std::size_t>(sum);
  for (const std::int64_t size : layer.sizes) {
    Result& part = results.emplace_back(Result{in[0]});
    part.type.dims[static_cast<std::size_t>(layer.axis)] = size;
    const std::size_t end = begin + static_cast<std::size_t>(size);
    if (known)
      part.content.emplace(in.content(0)->begin() + static_cast<long>(begin),
                           in.content(0)->begin() + static_cast<long>(end));
    begin = end;
  }
  return results;
}

// C1 axes in range and unique · C2 start, size, step: host vectors, one element per axis · C3 size
// >= 0, step != 0 C4 in bounds
Results infer(const Slice& layer, const Operands& in) {
  in.require_axes(layer.axes, in[0].rank(), "C1");
  const Content start = in.host_vector(1, "C2"), size = in.host_vector(2, "C2"),
                step = in.host_vector(3, "C2");
  for (const int i : {1, 2, 3}) {
    in.require_dim(i, 0, static_cast<std::int64_t>(layer.axes.size()), "C2",
                   "one element per axis");
  }
  Result result{in[0]};
  for (std::size_t i = 0; i < layer.axes.size(); ++i) {
    const Extent dim = in.dim(0, layer.axes[i]);
    in.require(size[i].dynamic || (0 <= size[i].min && size[i].min <= kMaxDim), "C3", "size is ",
               size[i], ", expected at least 0");
    in.require(step[i].dynamic || step[i].min != 0, "C3", "step is 0, expected another number");
    if (start[i].is_static() && size[i].is_static() && step[i].is_static() && size[i].min > 0) {
      const std::int64_t first = start[i].min;
      const std::int64_t last = saturating_add(first, saturating_mul(size[i].min - 1, step[i].min));
      in.require(std::min(first, last) >= 0 && std::max(first, last) < dim.max, "C4", "reads ",
                 first, "..", last, " of axis ", layer.axes[i], ", expected within 0..",
                 dim.max - 1, " (x is ", in[0], ")");
    }
    Extent taken = as_dim(size[i]);
    if (taken.dynamic) {  // no slice is longer than its axis
      taken = Extent::range(std::min(taken.min, dim.max), std::min(taken.opt, dim.max),
                            std::min(taken.max, dim.max));
    }
    result.type.dims[static_cast<std::size_t>(layer.axes[i])] = taken;
  }
  if (in.content(0) != nullptr && in[0].rank() == 1 && layer.axes.size() == 1) {
    result.content = slice_content(in, *in.content(0), start, size, step);
  }
  return {std::move(result)};
}

// C1 begin and end: host vectors of x's rank, amounts >= 0 · C2 value: scalar of x's dtype,
// constant mode only C3 reflect: amounts below the dimension
Results infer(const Pad& layer, const Operands& in) {
  const Dims begin = in.host_dims(1, "C1"), end = in.host_dims(2, "C1");
  in.require_dim(1, 0, in[0].rank(), "C1", "x's rank");
  in.require_dim(2, 0, in[0].rank(), "C1", "x's rank");
  if (in.has(3)) {
    in.require(layer.mode == PadMode::constant, "C2", "value is given, expected none in this mode");
    in.require_dtype(3, in[0].dtype, "C2");
    in.require_rank(3, 0, "C2");
  }
  TensorType type = in[0];
  for (std::size_t i = 0; i < type.dims.size(); ++i) {
    for (const Extent& amount : {begin[i], end[i]}) {
      in.require(layer.mode != PadMode::reflect || amount.dynamic || amount.min == 0 ||
                     amount.min < type.dims[i].max,
                 "C3", "pads ", amount, " at axis ", i, ", expected less than the dimension, ",
                 in.dims(0)[i]);
    }
    type.dims[i] = as_dim(add(add(type.dims[i], begin[i]), end[i]));
  }
  return one(std::move(type));
}

// C1 repeats: host vector of x's rank, all >= 0
Results infer(const Tile& /*layer*/, const Operands& in) {
  const Dims repeats = in.host_dims(1, "C1");
  in.require_dim(1, 0, in[0].rank(), "C1", "x's rank");
  TensorType type = in[0];
  for (std::size_t i = 0; i < type.dims.size(); ++i)
    type.dims[i] = as_dim(mul(type.dims[i], repeats[i]));
  return one(std::move(type));
}

// C1 axes in range and unique
Results infer(const Flip& layer, const Operands& in) {
  in.require_axes(layer.axes, in[0].rank(), "C1");
  Result result{in[0]};
  if (in.content(0) != nullptr) {
    result.content = *in.content(0);
    if (!layer.axes.empty()) std::reverse(result.content->begin(), result.content->end());
  }
  return {std::move(result)};
}

// C1 axes in range and unique · C2 one shift per axis
Results infer(const Roll& layer, const Operands& in) {
  in.require_axes(layer.axes, in[0].rank(), "C1");
  in.require(layer.shifts.size() == layer.axes.size(), "C2", "shifts has ", layer.shifts.size(),
             " entries, expected ", layer.axes.size(), " (one per axis)");
  return one(in[0]);
}

// C1 both axes in range and different · C2 lengths: i32 or i64 [batch]
Results infer(const ReverseSequence& layer, const Operands& in) {
  in.require_axes({layer.batch_axis, layer.seq_axis}, in[0].rank(), "C1");
  in.require_int_index(1, "C2");
  in.require_rank(1, 1, "C2");
  in.require_dim(1, 0, in.dim(0, layer.batch_axis), "C2", "x's batch");
  return one(in[0]);
}

// C1 x [N,C,H,W] · C2 block >= 1 · C3 C is a multiple of block^2
Results infer(const DepthToSpace& layer, const Operands& in) {
  check_blocks(in, layer.block);
  return one(in[0].dtype,
             {in.dim(0, 0), divided(in, 1, layer.block * layer.block),
              as_dim(mul(in.dim(0, 2), layer.block)), as_dim(mul(in.dim(0, 3), layer.block))});
}

// C1 x [N,C,H,W] · C2 block >= 1 · C3 H and W are multiples of block
Results infer(const SpaceToDepth& layer, const Operands& in) {
  check_blocks(in, layer.block);
  return one(in[0].dtype, {in.dim(0, 0), as_dim(mul(in.dim(0, 1), layer.block * layer.block)),
                           divided(in, 2, layer.block), divided(in, 3, layer.block)});
}

}  // namespace torch_tensorrt::core
