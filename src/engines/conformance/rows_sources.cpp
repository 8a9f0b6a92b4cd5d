#include <ATen/ATen.h>

#include "core/text.h"
#include "engines/conformance/row.h"

namespace torch_tensorrt::engines::conformance {
namespace {

using core::RandomKind;

void add_random_rows(Rows& rows) {
  for (const RandomKind kind : {RandomKind::uniform, RandomKind::normal}) {
    const bool is_uniform = kind == RandomKind::uniform;
    rows.push_back(
        {is_uniform ? "random/uniform" : "random/normal", kF32, Tolerance::exact, [=](Trial& t) {
           const Value x = t.input({t.dim(40, 60, 80), 100});
           const core::Random random{.distribution = kind,
                                     .a = is_uniform ? -1.0 : 2.0,
                                     .b = is_uniform ? 3.0 : 0.5,
                                     .dtype = DType::f32,
                                     .seed = 7};
           t.output(t.net().one(random, {t.net().shape_of(x)}));
           t.accept([=](const Tensors& y) -> std::string {
             const double mean = y[0].mean().item<double>();
             const double deviation = y[0].std().item<double>();
             const double expected_mean = is_uniform ? 1.0 : 2.0;
             const double expected_deviation = is_uniform ? 4 / std::sqrt(12.0) : 0.5;
             const bool good = std::abs(mean - expected_mean) < 0.1 &&
                               std::abs(deviation - expected_deviation) < 0.1;
             const bool inside =
                 !is_uniform || (y[0].min().item<double>() >= -1 && y[0].max().item<double>() <= 3);
             if (good && inside) return "";
             return core::text("mean ", mean, " and deviation ", deviation, ", expected ",
                               expected_mean, " and ", expected_deviation);
           });
         }});
  }
}

}  // namespace

void add_source_rows(Rows& rows) {
  rows.push_back({"input/plain", kAll, Tolerance::exact, [](Trial& t) {
                    t.output(t.net().one(core::Identity{}, {t.input({t.dim(1, 2, 5), 3})}));
                    t.expect([](const Tensors& x) { return x; });
                  }});
  rows.push_back({"input/scalar", kAll, Tolerance::exact, [](Trial& t) {
                    t.output(t.net().one(core::Identity{}, {t.input({})}));
                    t.expect([](const Tensors& x) { return x; });
                  }});
  rows.push_back({"input/host", kF32, Tolerance::exact, [](Trial& t) {
                    const Value x = t.input({6, 4});
                    const Value rows = t.host_scalar(t.dim(1, 3, 6));
                    t.output(t.net().slice(x, 0, std::int64_t{0}, rows));
                    t.expect([](const Tensors& x) -> Tensors {
                      return {x[0].narrow(0, 0, x[1].item<std::int64_t>())};
                    });
                  }});
  rows.push_back({"constant/alone", kAll, Tolerance::exact, [](Trial& t) {
                    const at::Tensor c = t.data({2, 5});
                    t.output(t.net().one(core::Identity{}, {t.constant(c)}));
                    t.expect([=](const Tensors&) -> Tensors { return {c}; });
                  }});
  rows.push_back({"constant/added", kNumbers, Tolerance::pointwise, [](Trial& t) {
                    const at::Tensor c = t.data({1, 5});
                    t.output(t.input({t.dim(1, 2, 4), 5}) + t.constant(c));
                    t.expect([=](const Tensors& x) -> Tensors { return {x[0] + c}; });
                  }});
  rows.push_back({"shape_of/plain", kAll, Tolerance::exact, [](Trial& t) {
                    t.output(t.net().shape_of(t.input({t.dim(1, 2, 5), 3, t.dim(4, 4, 7)})));
                    t.expect([](const Tensors& x) -> Tensors {
                      return {at::tensor(x[0].sizes(), at::kLong)};
                    });
                  }});
  rows.push_back({"shape_of/arithmetic", kF32, Tolerance::exact, [](Trial& t) {
                    core::NetworkBuilder& net = t.net();
                    const Value x = t.input({t.dim(1, 2, 5), 3, t.dim(2, 4, 6)});
                    const core::Size n = net.mul(net.size(x, 0), net.size(x, 2));
                    const Value y = net.reshape(net.transpose(x, {0, 2, 1}), {n, std::int64_t{3}});
                    t.output(net.slice(y, 0, net.floor_div(n, std::int64_t{2}),
                                       net.sub(n, net.floor_div(n, std::int64_t{2}))));
                    t.expect([](const Tensors& x) -> Tensors {
                      const at::Tensor y = x[0].transpose(1, 2).reshape({-1, 3});
                      return {y.slice(0, y.size(0) / 2)};
                    });
                  }});
  rows.push_back(
      {"range/count", {DType::f32, DType::i32, DType::i64}, Tolerance::pointwise, [](Trial& t) {
         core::NetworkBuilder& net = t.net();
         const Value x = t.input({t.dim(1, 4, 9)});
         t.output(net.range(net.scalar(3, t.dtype()), net.scalar(-2, t.dtype()),
                            net.value(net.size(x, 0))));
         t.expect([](const Tensors& x) -> Tensors {
           return {(at::arange(x[0].size(0)) * -2 + 3).to(x[0].scalar_type())};
         });
       }});
  rows.push_back({"range/empty", {DType::f32, DType::i64}, Tolerance::pointwise, [](Trial& t) {
                    core::NetworkBuilder& net = t.net();
                    const Value count = t.host_scalar(t.dim(0, 3, 4));
                    t.output(net.range(net.scalar(1, t.dtype()), net.scalar(1, t.dtype()), count));
                    t.expect([type = t.scalar_type()](const Tensors& x) -> Tensors {
                      return {(at::arange(x[0].item<std::int64_t>()) + 1).to(type)};
                    });
                  }});
  add_random_rows(rows);
}

}  // namespace torch_tensorrt::engines::conformance
