#include "core/infer.h"

namespace torch_tensorrt::core {
namespace {

/// Operand `i`, where present: one number per channel of x.
void check_per_channel(const Operands& in, int i, std::string_view code) {
  if (!in.has(i)) return;
  in.require_dtype(i, in[0].dtype, "C1");
  in.require_rank(i, 1, code);
  in.require_dim(i, 0, in.dim(0, 1), code, "x's channels");
}

void check_eps(const Operands& in, double eps) {
  in.require(eps >= 0, "C4", "eps is ", eps, ", expected a number >= 0");
}

/// Operand `i`, where present: x's rank, 1 before first_axis, x's dimensions from there on.
void check_trailing(const Operands& in, int i, std::int64_t first_axis) {
  if (!in.has(i)) return;
  in.require_dtype(i, in[0].dtype, "C1");
  in.require_rank(i, in[0].rank(), "C3");
  for (std::int64_t axis = 0; axis < in[0].rank(); ++axis) {
    const bool normalized = axis >= first_axis;
    in.require_dim(i, axis, normalized ? in.dim(0, axis) : Extent(1), "C3",
                   normalized ? "a normalized axis of x" : "before first_axis");
  }
}

template <typename Layer>
Results infer_trailing_norm(const Layer& layer, const Operands& in) {
  in.require_float(0, "C1");
  in.require_axis(layer.first_axis, in[0].rank(), "C2");
  for (int i = 1; i < in.count(); ++i) check_trailing(in, i, layer.first_axis);
  check_eps(in, layer.eps);
  return one(in[0]);
}

}  // namespace

// C1 floating, one dtype · C2 rank >= 2 · C3 gamma, beta, mean, variance [C] · C4 eps >= 0
Results infer(const BatchNorm& layer, const Operands& in) {
  in.require_float(0, "C1");
  in.require_rank(0, 2, kMaxRank, "C2");
  for (int i = 1; i <= 4; ++i) check_per_channel(in, i, "C3");
  check_eps(in, layer.eps);
  return one(in[0]);
}

// C1 floating, one dtype · C2 first_axis in range · C3 gamma and beta: x's rank, leading ones · C4
// eps >= 0
Results infer(const LayerNorm& layer, const Operands& in) { return infer_trailing_norm(layer, in); }

// C1 floating, one dtype · C2 first_axis in range · C3 gamma: x's rank, leading ones · C4 eps >= 0
Results infer(const RmsNorm& layer, const Operands& in) { return infer_trailing_norm(layer, in); }

// C1 floating, one dtype · C2 rank >= 3, groups divides the static channels · C3 gamma and beta [C]
// · C4 eps >= 0
Results infer(const GroupNorm& layer, const Operands& in) {
  in.require_float(0, "C1");
  in.require_rank(0, 3, kMaxRank, "C2");
  const Extent channels = in.dim(0, 1);
  in.require(channels.is_static() && layer.groups >= 1 && channels.min % layer.groups == 0, "C2",
             "x has ", channels, " channels, expected a static multiple of ", layer.groups,
             " groups");
  check_per_channel(in, 1, "C3");
  check_per_channel(in, 2, "C3");
  check_eps(in, layer.eps);
  return one(in[0]);
}

// C1 floating, one dtype · C2 rank >= 3 · C3 gamma and beta [C] · C4 eps >= 0
Results infer(const InstanceNorm& layer, const Operands& in) {
  in.require_float(0, "C1");
  in.require_rank(0, 3, kMaxRank, "C2");
  check_per_channel(in, 1, "C3");
  check_per_channel(in, 2, "C3");
  check_eps(in, layer.eps);
  return one(in[0]);
}

}  // namespace torch_tensorrt::core
