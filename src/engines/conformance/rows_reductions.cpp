#include <ATen/ATen.h>

#include <limits>

#include "engines/conformance/row.h"

namespace torch_tensorrt::engines::conformance {
namespace {

using core::ReduceOp;
using Reduction = std::function<at::Tensor(const at::Tensor&, at::IntArrayRef axes, bool keep)>;

void add_reduce(Rows& rows, ReduceOp op, const DTypes& dtypes, Fill fill, const Reduction& f) {
  const auto add = [&](const std::string& variant, Ints axes, bool keep) {
    const std::string op_name(core::enum_names<ReduceOp>[static_cast<std::size_t>(op)]);
    rows.push_back({"reduce/" + op_name + variant, dtypes, Tolerance::accumulated, [=](Trial& t) {
                      const Value x = t.input({t.dim(1, 3, 5), 4, t.dim(2, 6, 7)}, fill);
                      t.output(t.net().reduce(op, x, axes, keep));
                      t.expect(
                          [=](const Tensors& in) -> Tensors { return {f(in[0], axes, keep)}; });
                    }});
  };
  add("_last", {2}, false);
  add("_two_kept", {0, 2}, true);
  add("_all", {0, 1, 2}, false);
}

at::Tensor prod(at::Tensor x, at::IntArrayRef axes, bool keep) {
  const auto type = x.scalar_type();
  for (std::size_t i = axes.size(); i-- > 0;) x = at::prod(x, axes[i], keep, type);
  return x;
}

void add_reduce_rows(Rows& rows) {
  using T = const at::Tensor&;
  const Fill any = natural();
  add_reduce(rows, ReduceOp::sum, kNumbers, any, [](T x, at::IntArrayRef axes, bool keep) {
    return at::sum(x, axes, keep).to(x.scalar_type());
  });
  add_reduce(rows, ReduceOp::prod, kF32, uniform(0.7, 1.4), prod);
  add_reduce(rows, ReduceOp::prod, {DType::i64}, listed({1, 2, 1, 1, -1, 1}), prod);
  add_reduce(rows, ReduceOp::max, kNumbers, any,
             [](T x, at::IntArrayRef axes, bool keep) { return at::amax(x, axes, keep); });
  add_reduce(rows, ReduceOp::min, kNumbers, any,
             [](T x, at::IntArrayRef axes, bool keep) { return at::amin(x, axes, keep); });
  add_reduce(rows, ReduceOp::mean, kFloats, any,
             [](T x, at::IntArrayRef axes, bool keep) { return at::mean(x, axes, keep); });
  add_reduce(rows, ReduceOp::any, kBool, booleans(0.1),
             [](T x, at::IntArrayRef axes, bool keep) { return at::sum(x, axes, keep) > 0; });
  add_reduce(rows, ReduceOp::all, kBool, booleans(0.9), [](T x, at::IntArrayRef axes, bool keep) {
    return at::sum(at::logical_not(x), axes, keep) == 0;
  });
  rows.push_back({"reduce/max_nan", kF32, Tolerance::exact, [](Trial& t) {
                    const double nan = std::numeric_limits<double>::quiet_NaN();
                    const Value x = t.input({t.dim(1, 3, 5), 3}, listed({1, 2, 3, nan, 1, 4}));
                    t.output(t.net().reduce(ReduceOp::max, x, {1}, false));
                    t.expect([](const Tensors& in) -> Tensors { return {at::amax(in[0], 1)}; });
                  }});
  rows.push_back({"reduce/sum_large", kInts, Tolerance::exact, [](Trial& t) {
                    const Value x = t.input({t.dim(1, 3, 5), 3}, listed({16777217, 1, 5}));
                    t.output(t.net().reduce(ReduceOp::sum, x, {1}, false));
                    t.expect([](const Tensors& in) -> Tensors {
                      return {in[0].sum(1).to(in[0].scalar_type())};
                    });
                  }});
}

void add_softmax_rows(Rows& rows) {
  for (const std::int64_t axis : {0, 1, 2}) {
    const std::string variant = "axis" + std::to_string(axis);
    rows.push_back({"softmax/" + variant, kFloats, Tolerance::accumulated, [=](Trial& t) {
                      const Value x = t.input({t.dim(1, 3, 5), 4, t.dim(2, 6, 7)}, normal(0, 3));
                      t.output(t.net().softmax(x, axis));
                      t.expect([=](const Tensors& in) -> Tensors {
                        const at::Tensor e = (in[0] - in[0].amax(axis, true)).to(at::kFloat).exp();
                        return {(e / e.sum(axis, true)).to(in[0].scalar_type())};
                      });
                    }});
    rows.push_back({"log_softmax/" + variant, kFloats, Tolerance::accumulated, [=](Trial& t) {
                      const Value x = t.input({t.dim(1, 3, 5), 4, t.dim(2, 6, 7)}, normal(0, 3));
                      t.output(t.net().log_softmax(x, axis));
                      t.expect([=](const Tensors& in) -> Tensors {
                        const at::Tensor x = in[0].to(at::kFloat);
                        return {(x - x.logsumexp(axis, true)).to(in[0].scalar_type())};
                      });
                    }});
  }
  rows.push_back({"softmax/vector", kF32, Tolerance::accumulated, [](Trial& t) {
                    t.output(t.net().softmax(t.input({t.dim(1, 5, 9)}), 0));
                    t.expect([](const Tensors& in) -> Tensors { return {at::softmax(in[0], 0)}; });
                  }});
  rows.push_back({"log_softmax/tails", kF32, Tolerance::accumulated, [](Trial& t) {
                    const Value x = t.input({t.dim(1, 3, 5), 3}, listed({-300, 0, 300}));
                    t.output(t.net().log_softmax(x, 1));
                    t.expect(
                        [](const Tensors& in) -> Tensors { return {at::log_softmax(in[0], 1)}; });
                  }});
}

void add_topk_rows(Rows& rows) {
  const auto add = [&](const std::string& name, std::int64_t axis, bool largest, bool host_k) {
    rows.push_back({"topk/" + name, kNumbers, Tolerance::exact, [=](Trial& t) {
                      const Value x = t.input({t.dim(1, 2, 3), 7, 5}, distinct());
                      core::Size k = std::int64_t{3};
                      if (host_k) k = t.host_scalar(t.dim(1, 3, 5));
                      const auto [values, indices] = t.net().topk(x, k, axis, largest);
                      t.outputs({values, indices});
                      t.expect([=](const Tensors& in) -> Tensors {
                        const std::int64_t count = host_k ? in[1].item<std::int64_t>() : 3;
                        const auto [sorted, order] = at::sort(in[0], axis, largest);
                        return {sorted.narrow(axis, 0, count), order.narrow(axis, 0, count)};
                      });
                    }});
  };
  add("largest", 1, true, false);
  add("smallest", 2, false, false);
  add("host_k", 1, true, true);
}

void add_cumsum_rows(Rows& rows) {
  for (const bool exclusive : {false, true}) {
    for (const bool reverse : {false, true}) {
      const std::string name = std::string("cumsum/") + (exclusive ? "exclusive" : "inclusive") +
                               (reverse ? "_reverse" : "");
      rows.push_back({name, kNumbers, Tolerance::accumulated, [=](Trial& t) {
                        const Value x = t.input({t.dim(1, 2, 4), t.dim(1, 5, 6), 2}, whole(-3, 4));
                        t.output(t.net().cumsum(x, 1, exclusive, reverse));
                        t.expect([=](const Tensors& in) -> Tensors {
                          const auto type = in[0].scalar_type();
                          const at::Tensor x = reverse ? in[0].flip(1) : in[0];
                          at::Tensor y = x.to(at::kDouble).cumsum(1);
                          if (exclusive) y = y - x;
                          return {(reverse ? y.flip(1) : y).to(type)};
                        });
                      }});
    }
  }
}

}  // namespace

void add_reduction_rows(Rows& rows) {
  add_reduce_rows(rows);
  add_softmax_rows(rows);
  add_topk_rows(rows);
  add_cumsum_rows(rows);
}

}  // namespace torch_tensorrt::engines::conformance
