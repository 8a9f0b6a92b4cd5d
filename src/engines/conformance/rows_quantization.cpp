#include <ATen/ATen.h>

#include "engines/conformance/row.h"

namespace torch_tensorrt::engines::conformance {
namespace {

// As PyTorch's fake quantization does it.
at::Tensor fake_quantized(const at::Tensor& x, const at::Tensor& scale, double low, double high,
                          const at::Tensor& zero_point = at::zeros({})) {
  const at::Tensor wide = x.to(at::kFloat);
  return (((wide / scale).round() + zero_point).clamp(low, high) - zero_point) * scale;
}

core::Tensor packed_i4(const at::Tensor& values) {
  const at::Tensor flat = values.to(at::kLong).flatten();
  std::vector<std::byte> bytes(static_cast<std::size_t>((flat.numel() + 1) / 2));
  for (std::int64_t i = 0; i < flat.numel(); ++i) {
    const auto nibble = static_cast<unsigned>(flat[i].item<std::int64_t>() & 0xf);
    bytes[static_cast<std::size_t>(i / 2)] |= std::byte(nibble << (i % 2 * 4));
  }
  return {DType::i4, values.sizes().vec(), core::Blob::of(std::move(bytes))};
}

void add_quantize_rows(Rows& rows) {
  rows.push_back({"quantize/tensor", kFloats, Tolerance::exact, [](Trial& t) {
                    // Halves of the scale are ties; 9 is beyond the last step.
                    const Value x = t.input({t.dim(1, 3, 5), 4},
                                            listed({0.03125, 0.09375, -0.03125, 1, -3, 9, -9, 0}));
                    const Value scale = t.net().scalar(0.0625, DType::f32);
                    t.output(t.net().one(core::Quantize{DType::i8, -1}, {x, scale}));
                    t.expect([](const Tensors& x) -> Tensors {
                      const at::Tensor steps = (x[0].to(at::kFloat) / 0.0625).round();
                      return {steps.clamp(-128, 127).to(at::kChar)};
                    });
                  }});
  rows.push_back(
      {"quantize/pair_per_tensor", kFloats, Tolerance::pointwise, [](Trial& t) {
         const Value x = t.input({t.dim(1, 3, 5), 8}, normal(0, 3));
         const Value scale = t.net().scalar(0.0625, DType::f32);
         const Value q = t.net().one(core::Quantize{DType::i8, -1}, {x, scale});
         t.output(t.net().one(core::Dequantize{t.dtype(), -1}, {q, scale}));
         t.expect([](const Tensors& x) -> Tensors {
           return {fake_quantized(x[0], at::full({}, 0.0625), -128, 127).to(x[0].scalar_type())};
         });
       }});
  rows.push_back({"quantize/pair_per_channel", kF32, Tolerance::pointwise, [](Trial& t) {
                    const at::Tensor scale = at::tensor({0.125f, 0.0625f, 0.5f, 0.25f});
                    const Value x = t.input({t.dim(1, 3, 5), 4, 3}, normal(0, 3));
                    const Value s = t.constant(scale);
                    const Value q = t.net().one(core::Quantize{DType::i8, 1}, {x, s});
                    t.output(t.net().one(core::Dequantize{DType::f32, 1}, {q, s}));
                    t.expect([=](const Tensors& x) -> Tensors {
                      return {fake_quantized(x[0], scale.reshape({1, 4, 1}), -128, 127)};
                    });
                  }});
  rows.push_back({"quantize/u8", kFloats, Tolerance::exact, [](Trial& t) {
                    // No ties: with an odd zero point engines differ on which step is even.
                    const Value x = t.input({t.dim(1, 3, 5), 4},
                                            listed({0.0625, 0.125, -0.5, 1, -3, 9, -9, 0}));
                    const Value scale = t.net().scalar(0.0625, DType::f32);
                    const Value zero_point = t.net().scalar_i64(113, DType::i32);
                    t.output(t.net().one(core::Quantize{DType::u8, -1}, {x, scale, zero_point}));
                    t.expect([](const Tensors& x) -> Tensors {
                      const at::Tensor steps = (x[0].to(at::kFloat) / 0.0625).round() + 113;
                      return {steps.clamp(0, 255).to(at::kByte)};
                    });
                  }});
  rows.push_back(
      {"quantize/u8_pair", kFloats, Tolerance::pointwise, [](Trial& t) {
         const Value x = t.input({t.dim(1, 3, 5), 8}, normal(0, 6));
         const Value scale = t.net().scalar(0.0625, DType::f32);
         const Value zero_point = t.net().scalar_i64(100, DType::i32);
         const Value q = t.net().one(core::Quantize{DType::u8, -1}, {x, scale, zero_point});
         t.output(t.net().one(core::Dequantize{t.dtype(), -1}, {q, scale, zero_point}));
         t.expect([](const Tensors& x) -> Tensors {
           return {fake_quantized(x[0], at::full({}, 0.0625), 0, 255, at::full({}, 100.0))
                       .to(x[0].scalar_type())};
         });
       }});
  rows.push_back({"quantize/zero_points_per_channel", kF32, Tolerance::pointwise, [](Trial& t) {
                    const at::Tensor scale = at::tensor({0.125f, 0.0625f, 0.5f, 0.25f});
                    const at::Tensor zero_point = at::tensor({-3, 0, 100, -128}, at::kInt);
                    const Value x = t.input({t.dim(1, 3, 5), 4, 3}, normal(0, 6));
                    const Value s = t.constant(scale), z = t.constant(zero_point);
                    const Value q = t.net().one(core::Quantize{DType::i8, 1}, {x, s, z});
                    t.output(t.net().one(core::Dequantize{DType::f32, 1}, {q, s, z}));
                    t.expect([=](const Tensors& x) -> Tensors {
                      return {fake_quantized(x[0], scale.reshape({1, 4, 1}), -128, 127,
                                             zero_point.reshape({1, 4, 1}))};
                    });
                  }});
  rows.push_back({"quantize/pair_per_last_axis", kF32, Tolerance::pointwise, [](Trial& t) {
                    const at::Tensor scale = at::tensor({0.125f, 0.0625f, 0.5f});
                    const at::Tensor zero_point = at::tensor({-4, 0, 100}, at::kInt);
                    const Value x = t.input({t.dim(1, 3, 5), 4, 3}, normal(0, 6));
                    const Value s = t.constant(scale), z = t.constant(zero_point);
                    const Value q = t.net().one(core::Quantize{DType::i8, 2}, {x, s, z});
                    t.output(q);
                    t.output(t.net().one(core::Dequantize{DType::f32, 2}, {q, s, z}));
                    t.expect([=](const Tensors& x) -> Tensors {
                      const at::Tensor steps =
                          ((x[0] / scale).round() + zero_point).clamp(-128, 127);
                      return {steps.to(at::kChar), (steps - zero_point) * scale};
                    });
                  }});
  rows.push_back({"quantize/f8_pair", kF32, Tolerance::pointwise, [](Trial& t) {
                    // Whole numbers: exact in f16, through which an engine may go on the way to f8.
                    const Value x = t.input({t.dim(1, 3, 5), 8}, whole(-70, 71));
                    const Value scale = t.net().scalar(0.125, DType::f32);
                    const Value q = t.net().one(core::Quantize{DType::f8, -1}, {x, scale});
                    t.output(t.net().one(core::Dequantize{DType::f32, -1}, {q, scale}));
                    t.expect([](const Tensors& x) -> Tensors {
                      const at::Tensor scaled = (x[0] / 0.125).clamp(-448, 448);
                      return {scaled.to(at::kFloat8_e4m3fn).to(at::kFloat) * 0.125};
                    });
                  }});
}

void add_dequantize_rows(Rows& rows) {
  rows.push_back({"dequantize/input", kF32, Tolerance::pointwise, [](Trial& t) {
                    const Value q = t.input({t.dim(1, 3, 5), 4}, whole(-128, 128), DType::i8);
                    const Value scale = t.net().scalar(0.1, DType::f32);
                    t.output(t.net().one(core::Dequantize{DType::f32, -1}, {q, scale}));
                    t.expect(
                        [](const Tensors& x) -> Tensors { return {x[0].to(at::kFloat) * 0.1}; });
                  }});
  rows.push_back(
      {"dequantize/u8_input", kF32, Tolerance::pointwise, [](Trial& t) {
         const Value q = t.input({t.dim(1, 3, 5), 4}, whole(0, 256), DType::u8);
         const Value scale = t.net().scalar(0.1, DType::f32);
         const Value zero_point = t.net().scalar_i64(7, DType::i32);
         t.output(t.net().one(core::Dequantize{DType::f32, -1}, {q, scale, zero_point}));
         t.expect([](const Tensors& x) -> Tensors { return {(x[0].to(at::kFloat) - 7) * 0.1}; });
       }});
  rows.push_back({"dequantize/i8_weight", kFloats, Tolerance::accumulated, [](Trial& t) {
                    const at::Tensor w = t.data({6, 8}, whole(-128, 128), DType::i8);
                    const at::Tensor scale = t.data({6}, uniform(0.001, 0.01), DType::f32);
                    const Value weight = t.net().one(core::Dequantize{t.dtype(), 0},
                                                     {t.constant(w), t.constant(scale)});
                    const Value x = t.input({t.dim(1, 3, 5), 8});
                    t.output(t.net().matmul(x, weight, false, true));
                    t.expect([=](const Tensors& x) -> Tensors {
                      const at::Tensor wide = w.to(at::kFloat) * scale.unsqueeze(1);
                      return {at::linear(x[0], wide.to(x[0].scalar_type()))};
                    });
                  }});
  for (const bool by_row : {false, true}) {
    // The scales after the product, as weight-only quantization has them.
    rows.push_back({by_row ? "dequantize/scaled_rows" : "dequantize/scaled_columns", kF32,
                    Tolerance::accumulated, [=](Trial& t) {
                      core::NetworkBuilder& net = t.net();
                      const at::Tensor w = t.data(by_row ? core::Ints{6, 8} : core::Ints{8, 6},
                                                  whole(-128, 128), DType::i8);
                      const at::Tensor scale = t.data({1, 6}, uniform(0.001, 0.01), DType::f32);
                      const Value weight = net.one(core::Dequantize{DType::f32, -1},
                                                   {t.constant(w), net.scalar(1, DType::f32)});
                      const Value x = t.input({t.dim(1, 3, 5), 8});
                      t.output(net.matmul(x, weight, false, by_row) * t.constant(scale));
                      t.expect([=](const Tensors& x) -> Tensors {
                        const at::Tensor wide = w.to(at::kFloat);
                        return {at::matmul(x[0], by_row ? wide.t() : wide) * scale};
                      });
                    }});
  }
  rows.push_back({"dequantize/i4_weight", kF32, Tolerance::accumulated, [](Trial& t) {
                    const at::Tensor w = t.data({6, 8}, whole(-8, 8), DType::i8);
                    const at::Tensor scale = t.data({6}, uniform(0.05, 0.1), DType::f32);
                    const Value weight =
                        t.net().one(core::Dequantize{DType::f32, 0},
                                    {t.net().constant(packed_i4(w)), t.constant(scale)});
                    const Value x = t.input({t.dim(1, 3, 5), 8});
                    t.output(t.net().matmul(x, weight, false, true));
                    t.expect([=](const Tensors& x) -> Tensors {
                      return {at::linear(x[0], w.to(at::kFloat) * scale.unsqueeze(1))};
                    });
                  }});
  rows.push_back({"dequantize/quantized_linear", kF32, Tolerance::accumulated, [](Trial& t) {
                    core::NetworkBuilder& net = t.net();
                    const at::Tensor w = t.data({6, 16}, whole(-128, 128), DType::i8);
                    const at::Tensor scale = at::full({6}, 0.0078125f);
                    const Value x = t.input({t.dim(1, 3, 5), 16});
                    const Value s = net.scalar(0.03125, DType::f32);
                    const Value q = net.one(core::Quantize{DType::i8, -1}, {x, s});
                    const Value a = net.one(core::Dequantize{DType::f32, -1}, {q, s});
                    const Value b = net.one(core::Dequantize{DType::f32, 0},
                                            {t.constant(w), t.constant(scale)});
                    t.output(net.matmul(a, b, false, true));
                    t.expect([=](const Tensors& x) -> Tensors {
                      const at::Tensor a = fake_quantized(x[0], at::full({}, 0.03125), -128, 127);
                      return {at::linear(a, w.to(at::kFloat) * 0.0078125)};
                    });
                  }});
}

}  // namespace

void add_quantization_rows(Rows& rows) {
  add_quantize_rows(rows);
  add_dequantize_rows(rows);
}

}  // namespace torch_tensorrt::engines::conformance
