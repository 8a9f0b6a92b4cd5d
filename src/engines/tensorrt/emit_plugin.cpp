#include "engines/tensorrt/emit.h"

namespace torch_tensorrt::engines::tensorrt {

namespace {

std::vector<Field> fields_of(const core::Plugin& layer, Writer& net) {
  std::vector<Field> fields;
  for (const core::PluginField& field : layer.fields) {
    if (const auto* numbers = std::get_if<core::Tensor>(&field.value)) {
      fields.push_back({field.name, net.weights(numbers->dtype, numbers->bytes)});
    } else {
      fields.push_back({field.name, std::get<std::string>(field.value)});
    }
  }
  return fields;
}

}  // namespace

/// What the registry has is known to the players only.
Tensors emit(const core::Plugin& layer, const Site& site) {
  Writer& net = site.net();
  std::vector<Ref> inputs, shapes;
  const std::size_t first_shape = site.arity() - static_cast<std::size_t>(layer.shape_inputs);
  for (std::size_t i = 0; i < site.arity(); ++i) {
    (i < first_shape ? inputs : shapes).push_back(site.in(i).ref);
  }
  const bool is_v3 = layer.interface == core::PluginInterface::v3;
  const Ref creator = net.call(kRegistry, "get_creator", {layer.plugin, layer.version, layer.ns});
  std::vector<Argument> arguments{layer.plugin, fields_of(layer, net)};
  if (is_v3) arguments.emplace_back(Symbol{"TensorRTPhase", "BUILD"});
  const Ref plugin = net.call(creator, "create_plugin", std::move(arguments));
  const Ref made = is_v3 ? net.add("add_plugin_v3", {inputs, shapes, plugin})
                         : net.add("add_plugin_v2", {inputs, plugin});
  Tensors results;
  for (std::size_t i = 0; i < layer.results.size(); ++i) {
    results.push_back(net.output(made, layer.results[i].dtype, site.result_dims(i),
                                 static_cast<std::int64_t>(i)));
  }
  return results;
}

}  // namespace torch_tensorrt::engines::tensorrt
