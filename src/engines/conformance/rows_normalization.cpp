#include <ATen/ATen.h>

#include "engines/conformance/row.h"

namespace torch_tensorrt::engines::conformance {
namespace {

// (x - mean) / sqrt(variance + eps) over the axes, in f32.
at::Tensor standardized(const at::Tensor& x, at::IntArrayRef axes, double eps) {
  const at::Tensor wide = x.to(at::kFloat);
  const at::Tensor centred = wide - wide.mean(axes, true);
  return centred * (centred.square().mean(axes, true) + eps).rsqrt();
}

void add_layer_norm(Rows& rows, const std::string& name, std::int64_t first_axis, bool gamma,
                    bool beta, const DTypes& dtypes) {
  rows.push_back({"layer_norm/" + name, dtypes, Tolerance::accumulated, [=](Trial& t) {
                    const Ints dims = first_axis == 1 ? Ints{1, 4, 6} : Ints{1, 1, 6};
                    const at::Tensor g = t.data(dims, uniform(0.5, 1.5));
                    const at::Tensor b = t.data(dims);
                    const Value x = t.input({t.dim(1, 3, 5), 4, 6}, normal(1, 3));
                    t.output(t.net().one(
                        core::LayerNorm{first_axis, 1e-3},
                        {x, gamma ? t.constant(g) : Value(), beta ? t.constant(b) : Value()}));
                    t.expect([=](const Tensors& in) -> Tensors {
                      const Ints axes = first_axis == 1 ? Ints{1, 2} : Ints{2};
                      at::Tensor y = standardized(in[0], axes, 1e-3);
                      if (gamma) y = y * g;
                      if (beta) y = y + b;
                      return {y.to(in[0].scalar_type())};
                    });
                  }});
}

void add_rms_norm(Rows& rows, const std::string& name, std::int64_t first_axis, bool gamma,
                  const DTypes& dtypes) {
  rows.push_back({"rms_norm/" + name, dtypes, Tolerance::accumulated, [=](Trial& t) {
                    const Ints dims = first_axis == 1 ? Ints{1, 4, 6} : Ints{1, 1, 6};
                    const at::Tensor g = t.data(dims, uniform(0.5, 1.5));
                    const Value x = t.input({t.dim(1, 3, 5), 4, 6}, normal(1, 3));
                    t.output(t.net().one(core::RmsNorm{first_axis, 1e-3},
                                         {x, gamma ? t.constant(g) : Value()}));
                    t.expect([=](const Tensors& in) -> Tensors {
                      const Ints axes = first_axis == 1 ? Ints{1, 2} : Ints{2};
                      const at::Tensor wide = in[0].to(at::kFloat);
                      at::Tensor y = wide / (wide.square().mean(axes, true) + 1e-3).sqrt();
                      if (gamma) y = y * g;
                      return {y.to(in[0].scalar_type())};
                    });
                  }});
}

void add_channel_norm(Rows& rows, const std::string& name, std::int64_t groups, bool is_affine,
                      const core::Layer& layer, const DTypes& dtypes) {
  rows.push_back({name, dtypes, Tolerance::accumulated, [=](Trial& t) {
                    const at::Tensor g = t.data({6}, uniform(0.5, 1.5));
                    const at::Tensor b = t.data({6});
                    const Value x = t.input({t.dim(1, 2, 3), 6, t.dim(2, 4, 5), 3}, normal(1, 3));
                    t.output(t.net().one(layer, {x, is_affine ? t.constant(g) : Value(),
                                                 is_affine ? t.constant(b) : Value()}));
                    t.expect([=](const Tensors& in) -> Tensors {
                      const at::Tensor grouped = in[0].unflatten(1, {groups, 6 / groups});
                      at::Tensor y = standardized(grouped, {2, 3, 4}, 1e-3).flatten(1, 2);
                      if (is_affine) y = y * g.reshape({1, 6, 1, 1}) + b.reshape({1, 6, 1, 1});
                      return {y.to(in[0].scalar_type())};
                    });
                  }});
}

void add_batch_norm(Rows& rows, const std::string& name, const core::Dims& tail) {
  rows.push_back({"batch_norm/" + name, kFloats, Tolerance::accumulated, [=](Trial& t) {
                    const Tensors p{t.data({6}, uniform(0.5, 1.5)), t.data({6}), t.data({6}),
                                    t.data({6}, uniform(0.5, 2))};
                    core::Dims dims{t.dim(1, 2, 3), 6};
                    dims.insert(dims.end(), tail.begin(), tail.end());
                    const Value x = t.input(dims);
                    t.output(
                        t.net().one(core::BatchNorm{1e-3}, {x, t.constant(p[0]), t.constant(p[1]),
                                                            t.constant(p[2]), t.constant(p[3])}));
                    t.expect([=](const Tensors& in) -> Tensors {
                      Ints shape(static_cast<std::size_t>(in[0].dim()), 1);
                      shape[1] = 6;
                      const auto at_channel = [&](std::size_t i) {
                        return p[i].to(at::kFloat).reshape(shape);
                      };
                      const at::Tensor y = (in[0] - at_channel(2)) / (at_channel(3) + 1e-3).sqrt();
                      return {(y * at_channel(0) + at_channel(1)).to(in[0].scalar_type())};
                    });
                  }});
}

}  // namespace

void add_normalization_rows(Rows& rows) {
  add_batch_norm(rows, "2d", {4, 3});
  add_batch_norm(rows, "flat", {});
  add_layer_norm(rows, "last", 2, true, true, kFloats);
  add_layer_norm(rows, "two_axes", 1, true, true, kF32);
  add_layer_norm(rows, "no_affine", 2, false, false, kF32);
  add_layer_norm(rows, "no_beta", 2, true, false, kF32);
  add_rms_norm(rows, "last", 2, true, kFloats);
  add_rms_norm(rows, "two_axes", 1, true, kF32);
  add_rms_norm(rows, "no_gamma", 2, false, kF32);
  add_channel_norm(rows, "group_norm/plain", 3, true, core::GroupNorm{3, 1e-3}, kFloats);
  add_channel_norm(rows, "group_norm/no_affine", 2, false, core::GroupNorm{2, 1e-3}, kF32);
  add_channel_norm(rows, "group_norm/one_group", 1, true, core::GroupNorm{1, 1e-3}, kF32);
  add_channel_norm(rows, "instance_norm/plain", 6, true, core::InstanceNorm{1e-3}, kFloats);
  add_channel_norm(rows, "instance_norm/no_affine", 6, false, core::InstanceNorm{1e-3}, kF32);
}

}  // namespace torch_tensorrt::engines::conformance
