#include "engines/tensorrt/emit.h"

namespace torch_tensorrt::engines::tensorrt {

namespace {

/// The constant true.
bool is_true(const core::Network& network, core::ValueId value) {
  const core::Tensor* tensor = network.constant(value);
  return tensor && tensor->bytes.size() == 1 && tensor->bytes.bytes().front() != std::byte{0};
}

/// A value that lives from trip to trip.
struct Carried {
  Ref layer;
  Tensor now;
};

Carried carry(Writer& net, Ref loop, const Tensor& initial) {
  const Ref layer = net.call(loop, "add_recurrence", {initial.ref});
  return {layer, net.output(layer, initial.dtype, initial.dims)};
}

}  // namespace

Tensors emit(const core::Loop& layer, const Site& site) {
  Writer& net = site.net();
  const core::Network& body = *layer.body;
  const auto carried = static_cast<std::size_t>(layer.carried);
  const bool counts_only =
      is_true(site.network(), site.node().inputs[1]) && is_true(body, body.outputs().front());
  const std::size_t scans = site.node().outputs.size() - carried;
  if (!counts_only && scans > 0)
    throw site.refuse("stacks values only in loops whose trips are counted");
  const Ref loop = net.add("add_loop", {});
  // Beside a WHILE, a count of 64 bits is compared with one of 32.
  const Tensor trips = counts_only ? site.in(0) : net.cast(site.in(0), DType::i32);
  net.call(loop, "add_trip_limit", {trips.ref, Symbol{"TripLimit", "COUNT"}});
  std::optional<Carried> condition;
  if (!counts_only) {
    condition = carry(net, loop, site.in(1));
    net.call(loop, "add_trip_limit", {condition->now.ref, Symbol{"TripLimit", "WHILE"}});
  }
  const Carried index = carry(net, loop, net.scalar_i64(0));
  net.set_input(index.layer, 1, net.add(index.now, net.scalar_i64(1)));
  std::vector<Carried> values;
  Tensors inputs{index.now};
  for (std::size_t i = 0; i < carried; ++i) {
    values.push_back(carry(net, loop, site.in(2 + i)));
    inputs.push_back(values.back().now);
  }
  for (std::size_t i = 2 + carried; i < site.arity(); ++i) inputs.push_back(site.in(i));
  const Tensors next = emit_body(body, inputs, net);
  if (condition) net.set_input(condition->layer, 1, next.front());
  Tensors results;
  const auto output = [&](const Tensor& value, std::string_view kind) {
    return net.call(loop, "add_loop_output",
                    {value.ref, Symbol{"LoopOutput", kind}, std::int64_t{0}});
  };
  for (std::size_t i = 0; i < carried; ++i) {
    // A value that is not of this loop would be no next value.
    net.set_input(values[i].layer, 1, net.identity(next.at(1 + i)));
    results.push_back(
        net.output(output(values[i].now, "LAST_VALUE"), values[i].now.dtype, site.result_dims(i)));
  }
  for (std::size_t i = carried; i < site.node().outputs.size(); ++i) {
    const Tensor value = net.identity(next.at(1 + i));
    const Ref stacked = output(value, "CONCATENATE");
    net.set_input(stacked, 1, site.in(0));
    results.push_back(net.output(stacked, value.dtype, site.result_dims(i)));
  }
  return results;
}

Tensors emit(const core::If& layer, const Site& site) {
  Writer& net = site.net();
  const Ref conditional = net.add("add_if_conditional", {});
  net.call(conditional, "set_condition", {site.in(0).ref});
  Tensors captured;
  for (std::size_t i = 1; i < site.arity(); ++i) {
    const Tensor& value = site.in(i);
    const Ref input = net.call(conditional, "add_input", {value.ref});
    captured.push_back(net.output(input, value.dtype, value.dims));
  }
  const Tensors then_values = emit_body(*layer.then_branch, captured, net);
  const Tensors else_values = emit_body(*layer.else_branch, captured, net);
  Tensors results;
  for (std::size_t i = 0; i < then_values.size(); ++i) {
    const Ref output =
        net.call(conditional, "add_output", {then_values[i].ref, else_values.at(i).ref});
    results.push_back(net.output(output, then_values[i].dtype, site.result_dims(i)));
  }
  return results;
}

Tensors emit(const core::Assert& layer, const Site& site) {
  Writer& net = site.net();
  net.add("add_assertion", {site.in(1).ref, layer.message});
  return {net.identity(site.in(0))};
}

}  // namespace torch_tensorrt::engines::tensorrt
