#include <ATen/ATen.h>

#include "engines/conformance/row.h"

namespace torch_tensorrt::engines::conformance {
namespace {

using core::BinaryOp;
using core::CompareOp;
using core::Network;
using core::NetworkBuilder;

using Limit = std::optional<double>;

// Body of all loops: inputs i, state, step. State grows by step + i; a scan collects its double;
// goes on while the state's first element is below `limit`, or for all trips.
std::shared_ptr<const Network> growing_body(const core::TensorType& type, Limit limit,
                                            bool scans = true) {
  const auto body = std::make_shared<Network>();
  NetworkBuilder net(*body);
  const Value i = net.input("i", {DType::i64, {}});
  const Value state = net.input("state", type);
  const Value step = net.input("step", type);
  const Value next = state + step + net.align_rank(net.cast(i, type.dtype), type.rank());
  Value going = net.constant(core_tensor(at::ones({}, at::kBool)));
  if (limit) {
    const Value first = net.reshape(
        net.slice(net.reshape(next, {std::int64_t{-1}}), 0, std::int64_t{0}, std::int64_t{1}), {});
    going = net.compare(CompareOp::lt, first, net.scalar(*limit, type.dtype));
  }
  body->mark_output(going.id(), "going");
  body->mark_output(next.id(), "state");
  if (scans) body->mark_output((next + next).id(), "scan");
  return body;
}

Tensors run_growing(const at::Tensor& initial, const at::Tensor& step, std::int64_t trips,
                    Limit limit) {
  at::Tensor state = initial;
  Tensors scans;
  for (std::int64_t i = 0; i < trips; ++i) {
    state = state + step + i;
    scans.push_back(state * 2);
    if (limit && state.flatten()[0].item<double>() >= *limit) break;
  }
  return {state, at::stack(scans)};
}

void add_loop_rows(Rows& rows) {
  const auto add = [&](const std::string& name, Limit limit) {
    rows.push_back({"loop/" + name, {DType::f32, DType::i64}, Tolerance::pointwise, [=](Trial& t) {
                      NetworkBuilder& net = t.net();
                      const core::Dims dims{t.dim(1, 2, 4), 3};
                      const Value state = t.input(dims, whole(0, 3));
                      const Value step = t.input(dims, whole(1, 4));
                      const core::Loop loop{1, growing_body({t.dtype(), dims}, limit)};
                      const Value yes = t.constant(at::ones({}, at::kBool));
                      t.outputs(net.add(loop, {net.scalar_i64(4), yes, state, step}));
                      t.expect([=](const Tensors& x) { return run_growing(x[0], x[1], 4, limit); });
                    }});
  };
  add("counted", std::nullopt);
  add("until", 5);
  rows.push_back({"loop/host_trips", kF32, Tolerance::pointwise, [](Trial& t) {
                    const core::Dims dims{2, 3};
                    const Value trips = t.host_scalar(t.dim(1, 3, 5));
                    const Value state = t.input(dims, whole(0, 3));
                    const Value step = t.input(dims, whole(1, 4));
                    const core::Loop loop{1, growing_body({t.dtype(), dims}, {})};
                    const Value yes = t.constant(at::ones({}, at::kBool));
                    t.outputs(t.net().add(loop, {trips, yes, state, step}));
                    t.expect([](const Tensors& x) {
                      return run_growing(x[1], x[2], x[0].item<std::int64_t>(), {});
                    });
                  }});
  rows.push_back({"loop/while", kF32, Tolerance::pointwise, [](Trial& t) {
                    const core::Dims dims{t.dim(1, 2, 4), 3};
                    const Value state = t.input(dims, whole(0, 3));
                    const Value step = t.input(dims, whole(1, 4));
                    const core::Loop loop{1, growing_body({t.dtype(), dims}, 5, /*scans=*/false)};
                    const Value yes = t.constant(at::ones({}, at::kBool));
                    t.outputs(t.net().add(loop, {t.net().scalar_i64(4), yes, state, step}));
                    t.expect([](const Tensors& x) -> Tensors {
                      return {run_growing(x[0], x[1], 4, 5).front()};
                    });
                  }});
  rows.push_back({"loop/no_trip", kF32, Tolerance::exact, [](Trial& t) {
                    const core::Dims dims{t.dim(1, 2, 4), 3};
                    const Value state = t.input(dims);
                    const Value step = t.input(dims);
                    const Value going = t.input({}, booleans(0), DType::b);
                    const core::Loop loop{1, growing_body({t.dtype(), dims}, 1e6)};
                    t.output(
                        t.net().add(loop, {t.net().scalar_i64(4), going, state, step}).front());
                    t.expect([](const Tensors& x) -> Tensors { return {x[0]}; });
                  }});
}

void add_if_rows(Rows& rows) {
  const auto add = [&](const std::string& name, double probability) {
    rows.push_back({"if/" + name, kNumbers, Tolerance::pointwise, [=](Trial& t) {
                      const core::TensorType type{t.dtype(), {t.dim(1, 2, 4), 3}};
                      const auto branch = [&](auto&& f) {
                        const auto network = std::make_shared<Network>();
                        NetworkBuilder net(*network);
                        const Value a = net.input("a", type);
                        const Value b = net.input("b", type);
                        network->mark_output(f(a, b).id(), "y");
                        return network;
                      };
                      core::If layer;
                      layer.then_branch = branch([](Value a, Value b) { return a + b; });
                      layer.else_branch = branch([](Value a, Value b) { return a * b; });
                      const Value condition = t.input({}, booleans(probability), DType::b);
                      const Value a = t.input(type.dims);
                      const Value b = t.input(type.dims);
                      t.outputs(t.net().add(layer, {condition, a, b}));
                      t.expect([](const Tensors& x) -> Tensors {
                        return {x[0].item<bool>() ? x[1] + x[2] : x[1] * x[2]};
                      });
                    }});
  };
  add("taken", 1);
  add("not_taken", 0);
}

core::PluginField field(const char* name, const at::Tensor& value) {
  return {name, core_tensor(value)};
}

// NVIDIA's own, which is registered wherever TensorRT is: regions of an image of ones.
void add_plugin_row(Rows& rows) {
  rows.push_back(
      {"plugin/roi_align", kF32, Tolerance::pointwise, [](Trial& t) {
         const auto integer = [](std::int64_t n) { return at::full({}, n, at::kInt); };
         const Extent count = t.dim(1, 3, 5);
         const Value image = t.constant(at::ones({1, 4, 8, 8}));
         const Value boxes = t.input({count, 4}, listed({1, 1, 6, 6}));
         const Value images = t.input({count}, listed({0}), DType::i32);
         core::Plugin plugin;
         plugin.plugin = "ROIAlign_TRT";
         plugin.version = "2";
         plugin.fields = {field("coordinate_transformation_mode", integer(1)),
                          field("mode", integer(1)),
                          field("output_height", integer(2)),
                          field("output_width", integer(3)),
                          field("sampling_ratio", integer(2)),
                          field("spatial_scale", at::ones({}))};
         plugin.results = {{DType::f32, {count, 4, 2, 3}}};
         t.output(t.net().one(plugin, {image, boxes, images}));
         t.expect([](const Tensors& x) -> Tensors { return {at::ones({x[0].size(0), 4, 2, 3})}; });
       }});
}

}  // namespace

void add_control_rows(Rows& rows) {
  add_loop_rows(rows);
  add_if_rows(rows);
  add_plugin_row(rows);
  for (const bool holds : {true, false}) {
    rows.push_back({holds ? "assert/holds" : "assert/fails", kAll, Tolerance::exact, [=](Trial& t) {
                      NetworkBuilder& net = t.net();
                      const Value x = t.input({t.dim(1, 3, 5), 2});
                      const Value limit = t.host_scalar(holds ? 6 : 1);
                      const Value fits =
                          net.compare(CompareOp::lt, net.value(net.size(x, 0)), limit);
                      t.output(net.one(core::Assert{"too many rows"}, {x, fits}));
                      t.expect([](const Tensors& x) -> Tensors { return {x[0]}; });
                      if (!holds) t.expect_error("too many rows");
                    }});
  }
}

}  // namespace torch_tensorrt::engines::conformance
