#include <cmath>

#include "core/infer.h"

namespace torch_tensorrt::core {
namespace {

struct Pool {
  const Ints &window, &stride, &pad_begin, &pad_end;
  Ints dilation;
  bool ceil_mode;
};

/// ATen's size: with ceil_mode a last window that would start in the end padding is dropped.
std::int64_t pooled_size(const Pool& p, std::size_t i, std::int64_t size) {
  const std::int64_t reach = saturating_mul(p.dilation[i], p.window[i] - 1) + 1;
  const std::int64_t room =
      size + p.pad_begin[i] + p.pad_end[i] - reach + (p.ceil_mode ? p.stride[i] - 1 : 0);
  if (room < 0) return 0;
  std::int64_t out = room / p.stride[i] + 1;
  if (p.ceil_mode && (out - 1) * p.stride[i] >= size + p.pad_begin[i]) --out;
  return out;
}

// C1 floating · C2 x [N,C,spatial..] with 1 to 3 spatial axes · C3 one window, stride, dilation >=
// 1 and pad >= 0 per spatial axis · C4 pads at most half of the window · C5 the result is not empty
Results infer_pool(const Pool& p, const Operands& in) {
  in.require_float(0, "C1");
  in.require_rank(0, 3, 5, "C2");
  const Dims& x = in.dims(0);
  const std::size_t spatial = x.size() - 2;
  in.require_list(p.window, spatial, 1, "window", "C3");
  in.require_list(p.stride, spatial, 1, "stride", "C3");
  in.require_list(p.dilation, spatial, 1, "dilation", "C3");
  in.require_list(p.pad_begin, spatial, 0, "pad_begin", "C3");
  in.require_list(p.pad_end, spatial, 0, "pad_end", "C3");
  Dims dims = {x[0], x[1]};
  for (std::size_t i = 0; i < spatial; ++i) {
    in.require(std::max(p.pad_begin[i], p.pad_end[i]) <= p.window[i] / 2, "C4", "pads are ",
               p.pad_begin[i], " and ", p.pad_end[i],
               ", expected at most half of the window, which is ", p.window[i]);
    const Extent size = pointwise([&](std::int64_t d) { return pooled_size(p, i, d); }, x[i + 2]);
    in.require(size.dynamic || size.min >= 1, "C5", "result has size ", size, " at axis ", i + 2,
               ", expected at least 1 (x is ", in[0], ", window [", join(p.window), "])");
    dims.push_back(as_dim(size));
  }
  return one(in[0].dtype, std::move(dims));
}

}  // namespace

Results infer(const MaxPool& l, const Operands& in) {
  return infer_pool({l.window, l.stride, l.pad_begin, l.pad_end, l.dilation, l.ceil_mode}, in);
}

Results infer(const AvgPool& l, const Operands& in) {
  return infer_pool(
      {l.window, l.stride, l.pad_begin, l.pad_end, Ints(l.window.size(), 1), l.ceil_mode}, in);
}

// C1 floating · C2 x [N,C,spatial..] with 1 to 3 spatial axes · C3 one output size >= 0 per spatial
// axis
Results infer(const AdaptiveAvgPool& layer, const Operands& in) {
  in.require_float(0, "C1");
  in.require_rank(0, 3, 5, "C2");
  in.require_list(layer.output_size, in.dims(0).size() - 2, 0, "output_size", "C3");
  Dims dims = {in.dim(0, 0), in.dim(0, 1)};
  dims.insert(dims.end(), layer.output_size.begin(), layer.output_size.end());
  return one(in[0].dtype, std::move(dims));
}

// C1 floating · C2 sizes: host vector of 1 to 3 sizes for the last axes of x · C3 scales: none, or
// one > 0 per size C4 cubic_a is a finite number
Results infer(const Resize& layer, const Operands& in) {
  in.require_float(0, "C1");
  const Dims sizes = in.host_dims(1, "C2");
  in.require(!sizes.empty() && sizes.size() <= 3 && sizes.size() <= in.dims(0).size(), "C2",
             "sizes has ", sizes.size(), " elements, expected 1 to 3 and at most x's rank (x is ",
             in[0], ")");
  in.require(layer.scales.empty() || layer.scales.size() == sizes.size(), "C3", "scales has ",
             layer.scales.size(), " entries, expected none or ", sizes.size());
  for (const double scale : layer.scales) {
    in.require(std::isfinite(scale) && scale > 0, "C3", "a scale is ", scale,
               ", expected a number above 0");
  }
  in.require(std::isfinite(layer.cubic_a), "C4", "cubic_a is ", layer.cubic_a,
             ", expected a finite number");
  TensorType type = in[0];
  std::copy(sizes.begin(), sizes.end(), type.dims.end() - static_cast<long>(sizes.size()));
  return one(std::move(type));
}

// C1 floating, one dtype · C2 x [N,C,H,W] · C3 grid [N,H',W',2]
Results infer(const GridSample& /*layer*/, const Operands& in) {
  in.require_float(0, "C1");
  in.require_dtype(1, in[0].dtype, "C1");
  in.require_rank(0, 4, "C2");
  in.require_rank(1, 4, "C3");
  in.require_dim(1, 0, in.dim(0, 0), "C3", "x's batch");
  in.require_dim(1, 3, 2, "C3", "coordinates x, y");
  return one(in[0].dtype,
             {unify(in.dim(0, 0), in.dim(1, 0)), in.dim(0, 1), in.dim(1, 1), in.dim(1, 2)});
}

// C1 floating · C2 rank >= 3 · C3 size odd, >= 1 · C4 alpha, beta and k are finite numbers
Results infer(const Lrn& layer, const Operands& in) {
  in.require_float(0, "C1");
  in.require_rank(0, 3, kMaxRank, "C2");
  in.require(1 <= layer.size && layer.size <= kUnbounded && layer.size % 2 == 1, "C3", "size is ",
             layer.size, ", expected an odd number");
  in.require(std::isfinite(layer.alpha) && std::isfinite(layer.beta) && std::isfinite(layer.k),
             "C4", "alpha is ", layer.alpha, ", beta ", layer.beta, ", k ", layer.k,
             ", expected finite numbers");
  return one(in[0]);
}

}  // namespace torch_tensorrt::core
