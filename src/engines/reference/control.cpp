#include <ATen/ATen.h>

#include "core/error.h"
#include "engines/reference/layers.h"

namespace torch_tensorrt::engines::reference {
namespace {

// A scan output after no trip: no slices of the shape that one trip would give.
at::Tensor empty_scan(const core::TensorType& type, const Call& call) {
  core::Ints dims{0};
  for (const core::Extent& extent : type.dims) dims.push_back(extent.dynamic ? 0 : extent.min);
  const auto options = at::TensorOptions().dtype(scalar_type(type.dtype));
  return at::empty(dims, options.device(call.program().device()));
}

}  // namespace

Tensors evaluate(const core::Loop& layer, const Call& call) {
  const auto carried_count = static_cast<std::size_t>(layer.carried);
  const Program& body = call.program().body(*layer.body);
  const std::int64_t trips = call[0].item<std::int64_t>();
  bool running = call[1].item<bool>();
  Tensors carried = call.from(2);
  const Tensors captured(carried.begin() + layer.carried, carried.end());
  carried.resize(carried_count);
  std::vector<Tensors> scans(call.node().outputs.size() - carried_count);

  for (std::int64_t i = 0; i < trips && running; ++i) {
    Tensors inputs{at::scalar_tensor(i, call[0].options().dtype(at::kLong))};
    inputs.insert(inputs.end(), carried.begin(), carried.end());
    inputs.insert(inputs.end(), captured.begin(), captured.end());
    const Tensors outputs = body.run(std::move(inputs));
    running = outputs.at(0).item<bool>();
    for (std::size_t k = 0; k < carried_count; ++k) carried[k] = outputs.at(1 + k);
    for (std::size_t k = 0; k < scans.size(); ++k) {
      scans[k].push_back(outputs.at(1 + carried_count + k));
    }
  }

  Tensors results = carried;
  for (std::size_t k = 0; k < scans.size(); ++k) {
    const core::ValueId slice = layer.body->outputs().at(1 + carried_count + k);
    results.push_back(scans[k].empty() ? empty_scan(layer.body->type(slice), call)
                                       : at::stack(scans[k]));
  }
  return results;
}

Tensors evaluate(const core::If& layer, const Call& call) {
  const bool condition = call[0].item<bool>();
  return call.program().body(condition ? *layer.then_branch : *layer.else_branch).run(call.from(1));
}

/// supports() refuses it but inside of bodies.
Tensors evaluate(const core::Plugin& layer, const Call&) {
  throw core::unsupported("reference: it runs no plugins of TensorRT, such as '", layer.plugin,
                          "'");
}

Tensors evaluate(const core::Assert& layer, const Call& call) {
  if (!call[1].item<bool>()) throw core::invalid_argument(layer.message);
  return {call[0]};
}

}  // namespace torch_tensorrt::engines::reference
