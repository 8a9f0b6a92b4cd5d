#include "engines/conformance/compare.h"

#include <ATen/ATen.h>

#include "core/text.h"

namespace torch_tensorrt::engines::conformance {
namespace {

struct Limits {
  double relative, absolute;
};

// The one table of tolerances: |got - expected| <= absolute + relative * |expected|.
Limits limits(at::ScalarType dtype, Tolerance tolerance) {
  if (tolerance == Tolerance::exact || c10::isIntegralType(dtype, /*includeBool=*/true)) {
    return {0, 0};
  }
  const bool accumulated = tolerance == Tolerance::accumulated;
  switch (dtype) {
    case at::kDouble:
      return accumulated ? Limits{1e-10, 1e-10} : Limits{1e-12, 1e-12};
    case at::kHalf:
      return {5e-3, 5e-3};
    case at::kBFloat16:
      return {2e-2, 2e-2};
    default:
      return accumulated ? Limits{1e-4, 1e-4} : Limits{1e-5, 1e-5};
  }
}

std::string dims(const at::Tensor& tensor) { return "[" + core::join(tensor.sizes()) + "]"; }

// The place of the largest number, row-major, as "2, 0, 1".
std::string place_of_largest(const at::Tensor& amounts) {
  std::int64_t flat = amounts.flatten().argmax().item<std::int64_t>();
  Ints place(static_cast<std::size_t>(amounts.dim()));
  for (std::int64_t i = amounts.dim(); i-- > 0;) {
    place[static_cast<std::size_t>(i)] = flat % amounts.size(i);
    flat /= amounts.size(i);
  }
  return core::join(place);
}

std::string worst(const at::Tensor& got, const at::Tensor& expected, const at::Tensor& excess) {
  const std::int64_t flat = excess.flatten().argmax().item<std::int64_t>();
  const auto number = [&](const at::Tensor& tensor) {
    const at::Tensor element = tensor.flatten()[flat];
    return tensor.is_floating_point() ? core::text(element.item<double>())
                                      : core::text(element.item<std::int64_t>());
  };
  return core::text((excess > 0).sum().item<std::int64_t>(), " of ", excess.numel(),
                    " elements differ; worst at [", place_of_largest(excess), "]: got ",
                    number(got), ", expected ", number(expected));
}

}  // namespace

std::string difference(const at::Tensor& got, const at::Tensor& expected, Tolerance tolerance) {
  if (got.scalar_type() != expected.scalar_type()) {
    return core::text("dtype is ", got.scalar_type(), ", expected ", expected.scalar_type());
  }
  if (got.sizes() != expected.sizes()) {
    return core::text("dimensions are ", dims(got), ", expected ", dims(expected));
  }
  if (got.numel() == 0) return "";
  if (!got.is_floating_point()) {
    const at::Tensor wrong = (got != expected).to(at::kDouble);
    return wrong.any().item<bool>() ? worst(got, expected, wrong) : "";
  }
  const at::Tensor a = got.to(at::kDouble);
  const at::Tensor b = expected.to(at::kDouble);
  const Limits limit = limits(got.scalar_type(), tolerance);
  const at::Tensor both_finite = at::isfinite(a).logical_and(at::isfinite(b));
  const at::Tensor same_special = (a == b).logical_or(at::isnan(a).logical_and(at::isnan(b)));
  const at::Tensor error = (a - b).abs() - (b.abs() * limit.relative + limit.absolute);
  const at::Tensor excess =
      at::where(both_finite, error.clamp_min(0),
                at::where(same_special, at::zeros_like(a), a.new_full({}, 1e300)));
  return (excess > 0).any().item<bool>() ? worst(got, expected, excess) : "";
}

}  // namespace torch_tensorrt::engines::conformance
