#include <ATen/ATen.h>

#include "engines/conformance/row.h"

namespace torch_tensorrt::engines::conformance {
namespace {

void add_matmul_rows(Rows& rows) {
  for (const bool ta : {false, true}) {
    for (const bool tb : {false, true}) {
      const std::string name = std::string("matmul/") + (ta ? "t" : "n") + (tb ? "t" : "n");
      rows.push_back({name, kFloats, Tolerance::accumulated, [=](Trial& t) {
                        const Extent n = t.dim(1, 3, 6);
                        const Extent k = t.dim(2, 5, 8);
                        const Value a = t.input(ta ? core::Dims{k, n} : core::Dims{n, k});
                        const Value b = t.input(tb ? core::Dims{4, k} : core::Dims{k, 4});
                        t.output(t.net().matmul(a, b, ta, tb));
                        t.expect([=](const Tensors& x) -> Tensors {
                          return {at::mm(ta ? x[0].t() : x[0], tb ? x[1].t() : x[1])};
                        });
                      }});
    }
  }
  rows.push_back({"matmul/constant_weight", kFloats, Tolerance::accumulated, [](Trial& t) {
                    const at::Tensor w = t.data({1, 6, 4});
                    const Value x = t.input({t.dim(1, 2, 3), t.dim(1, 3, 6), 6});
                    t.output(t.net().matmul(x, t.constant(w)));
                    t.expect(
                        [=](const Tensors& in) -> Tensors { return {at::matmul(in[0], w[0])}; });
                  }});
  rows.push_back({"matmul/batch_broadcast", kFloats, Tolerance::accumulated, [](Trial& t) {
                    const Value a = t.input({t.dim(1, 2, 4), 1, 3, 5});
                    const Value b = t.input({1, 3, 5, t.dim(1, 2, 4)});
                    t.output(t.net().matmul(a, b));
                    t.expect([](const Tensors& x) -> Tensors {
                      return {(x[0].unsqueeze(-1) * x[1].unsqueeze(-3))
                                  .to(at::kFloat)
                                  .sum(-2)
                                  .to(x[0].scalar_type())};
                    });
                  }});
  rows.push_back(
      {"matmul/linear_bias", kFloats, Tolerance::accumulated, [](Trial& t) {
         const at::Tensor w = t.data({4, 6});
         const at::Tensor bias = t.data({1, 4});
         const Value x = t.input({t.dim(1, 3, 6), 6});
         t.output(t.net().matmul(x, t.constant(w), false, true) + t.constant(bias));
         t.expect([=](const Tensors& in) -> Tensors { return {at::linear(in[0], w, bias[0])}; });
       }});
}

void add_einsum_rows(Rows& rows) {
  const auto add = [&](const std::string& name, const std::string& equation,
                       std::vector<Ints> operands) {
    rows.push_back({"einsum/" + name, kF32, Tolerance::accumulated, [=](Trial& t) {
                      std::vector<Value> xs;
                      for (const Ints& dims : operands) {
                        core::Dims extents(dims.begin(), dims.end());
                        extents[0] = t.dim(1, 3, 5);
                        xs.push_back(t.input(extents));
                      }
                      t.output(t.net().add(core::Einsum{equation}, xs).front());
                      t.expect(
                          [=](const Tensors& x) -> Tensors { return {at::einsum(equation, x)}; });
                    }});
  };
  add("batch_matmul", "bij,bjk->bik", {{3, 2, 4}, {3, 4, 5}});
  add("outer", "i,j->ij", {{3}, {3}});
  add("implicit", "bi,bi", {{3, 4}, {3, 4}});
  add("transposed_sum", "bij->ji", {{3, 2, 4}});
  add("three", "bi,bj,bk->bijk", {{3, 2}, {3, 4}, {3, 5}});
}

struct ConvCase {
  std::string name;
  Ints spatial, kernel, stride, pad_begin, pad_end, dilation;
  std::int64_t groups = 1;
  bool bias = true;
  Ints output_padding = {};
  DTypes dtypes = kF32;
};

// ATen takes even padding only: the rest is padded in front.
at::Tensor convolve(at::Tensor x, const at::Tensor& w, const std::optional<at::Tensor>& bias,
                    const ConvCase& c) {
  Ints amounts;
  for (std::size_t i = c.kernel.size(); i-- > 0;) {
    amounts.insert(amounts.end(), {c.pad_begin[i], c.pad_end[i]});
  }
  x = at::constant_pad_nd(x, amounts);
  const Ints none(c.kernel.size(), 0);
  switch (c.kernel.size()) {
    case 1:
      return at::conv1d(x, w, bias, c.stride, none, c.dilation, c.groups);
    case 2:
      return at::conv2d(x, w, bias, c.stride, none, c.dilation, c.groups);
    default:
      return at::conv3d(x, w, bias, c.stride, none, c.dilation, c.groups);
  }
}

core::Dims image_dims(const Trial& t, std::int64_t channels, const Ints& spatial) {
  core::Dims dims{t.dim(1, 2, 3), channels};
  for (const std::int64_t size : spatial) dims.push_back(t.dim(size - 1, size, size + 2));
  return dims;
}

void add_conv(Rows& rows, const ConvCase& c) {
  rows.push_back({"conv/" + c.name, c.dtypes, Tolerance::accumulated, [=](Trial& t) {
                    Ints weight_dims{6, 4 / c.groups};
                    weight_dims.insert(weight_dims.end(), c.kernel.begin(), c.kernel.end());
                    const at::Tensor w = t.data(weight_dims, normal(0, 0.3));
                    const at::Tensor bias = t.data({6});
                    const Value x = t.input(image_dims(t, 4, c.spatial));
                    const core::Conv conv{.stride = c.stride,
                                          .pad_begin = c.pad_begin,
                                          .pad_end = c.pad_end,
                                          .dilation = c.dilation,
                                          .groups = c.groups};
                    t.output(
                        t.net().one(conv, {x, t.constant(w), c.bias ? t.constant(bias) : Value()}));
                    t.expect([=](const Tensors& in) -> Tensors {
                      return {convolve(in[0], w, c.bias ? std::optional(bias) : std::nullopt, c)};
                    });
                  }});
}

// The whole stamped image, cut by the padding and grown by output_padding; bias comes last.
at::Tensor stamp(const at::Tensor& x, const at::Tensor& w, const at::Tensor& bias,
                 const ConvCase& c) {
  const Ints none(c.kernel.size(), 0);
  const at::Tensor whole =
      at::convolution(x, w, {}, c.stride, none, c.dilation, /*transposed=*/true, none, c.groups);
  Ints amounts;
  for (std::size_t i = c.kernel.size(); i-- > 0;) {
    amounts.insert(amounts.end(), {-c.pad_begin[i], c.output_padding[i] - c.pad_end[i]});
  }
  Ints channels(c.kernel.size() + 2, 1);
  channels[1] = bias.numel();
  return at::constant_pad_nd(whole, amounts) + bias.reshape(channels);
}

void add_deconv(Rows& rows, const ConvCase& c) {
  rows.push_back({"deconv/" + c.name, c.dtypes, Tolerance::accumulated, [=](Trial& t) {
                    Ints weight_dims{4, 6 / c.groups};
                    weight_dims.insert(weight_dims.end(), c.kernel.begin(), c.kernel.end());
                    const at::Tensor w = t.data(weight_dims, normal(0, 0.3));
                    const at::Tensor bias = t.data({6});
                    const Value x = t.input(image_dims(t, 4, c.spatial));
                    const core::Deconv deconv{.stride = c.stride,
                                              .pad_begin = c.pad_begin,
                                              .pad_end = c.pad_end,
                                              .output_padding = c.output_padding,
                                              .dilation = c.dilation,
                                              .groups = c.groups};
                    t.output(t.net().one(deconv, {x, t.constant(w), t.constant(bias)}));
                    t.expect(
                        [=](const Tensors& in) -> Tensors { return {stamp(in[0], w, bias, c)}; });
                  }});
}

}  // namespace

void add_linear_rows(Rows& rows) {
  add_matmul_rows(rows);
  add_einsum_rows(rows);
  add_conv(rows, {"plain", {7, 7}, {3, 3}, {1, 1}, {0, 0}, {0, 0}, {1, 1}, 1, true, {}, kFloats});
  add_conv(rows,
           {"no_bias", {7, 7}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, 1, false, {}, kFloats});
  add_conv(rows, {"stride", {8, 9}, {3, 2}, {2, 3}, {1, 1}, {1, 1}, {1, 1}});
  add_conv(rows, {"dilation", {9, 9}, {3, 3}, {1, 1}, {2, 2}, {2, 2}, {2, 2}});
  add_conv(rows, {"uneven_pads", {7, 7}, {3, 4}, {1, 1}, {0, 2}, {2, 1}, {1, 1}});
  add_conv(rows, {"groups", {7, 7}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, 2, true, {}, kFloats});
  add_conv(rows, {"1d", {9}, {3}, {2}, {1}, {1}, {1}});
  add_conv(rows, {"1d_groups_uneven", {9}, {4}, {1}, {3}, {0}, {1}, 2});
  add_conv(rows, {"3d", {5, 6, 5}, {2, 3, 2}, {1, 2, 1}, {1, 1, 0}, {1, 1, 0}, {1, 1, 1}});
  add_conv(rows, {"pointwise", {4, 4}, {1, 1}, {1, 1}, {0, 0}, {0, 0}, {1, 1}});
  rows.push_back({"conv/depthwise", kFloats, Tolerance::accumulated, [](Trial& t) {
                    const at::Tensor w = t.data({8, 1, 3, 3}, normal(0, 0.3));
                    const Value x = t.input({t.dim(1, 2, 3), 8, t.dim(3, 6, 8), 6});
                    const core::Conv conv{{1, 1}, {1, 1}, {1, 1}, {1, 1}, 8};
                    t.output(t.net().one(conv, {x, t.constant(w), Value()}));
                    t.expect([=](const Tensors& in) -> Tensors {
                      return {at::conv2d(in[0], w, {}, 1, 1, 1, 8)};
                    });
                  }});
  rows.push_back({"conv/runtime_weight", kF32, Tolerance::accumulated, [](Trial& t) {
                    const Value x = t.input({t.dim(1, 2, 3), 3, t.dim(4, 6, 8), 6});
                    const Value w = t.input({5, 3, 3, 3});
                    const core::Conv conv{{1, 1}, {0, 0}, {0, 0}, {1, 1}, 1};
                    t.output(t.net().one(conv, {x, w, Value()}));
                    t.expect(
                        [](const Tensors& in) -> Tensors { return {at::conv2d(in[0], in[1])}; });
                  }});
  const Ints no{0, 0};
  const Ints one{1, 1};
  add_deconv(rows, {"plain", {5, 5}, {3, 3}, one, no, no, one, 1, true, no, kFloats});
  add_deconv(rows, {"stride", {4, 5}, {3, 3}, {2, 2}, one, one, one, 1, true, no});
  add_deconv(rows, {"output_padding", {4, 5}, {3, 3}, {2, 2}, one, one, one, 1, true, {1, 1}});
  add_deconv(rows, {"groups", {4, 5}, {2, 3}, {2, 1}, no, no, one, 2, true, no});
  add_deconv(rows, {"uneven_pads", {4, 5}, {3, 4}, {2, 2}, {0, 2}, {1, 0}, one, 1, true, no});
  add_deconv(rows, {"dilation", {4, 5}, {3, 3}, one, one, one, {2, 2}, 1, true, no});
  add_deconv(rows, {"1d", {6}, {4}, {2}, {1}, {1}, {1}, 1, true, {0}});
}

}  // namespace torch_tensorrt::engines::conformance
