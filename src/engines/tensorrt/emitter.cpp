#include "engines/tensorrt/emitter.h"

#include <algorithm>
#include <set>

#include "engines/tensorrt/emit.h"

namespace torch_tensorrt::engines::tensorrt {

using core::Network;
using core::Node;
using core::ValueId;

Ints Site::result_dims(std::size_t i) const { return dims_of(result(i).dims); }

std::optional<Ints> Site::numbers(std::size_t i) const {
  return numbers_of(network_.content(node_.inputs.at(i)));
}

std::string Site::where() const {
  const std::string& location = node_.origin.location;
  const std::string& scope = node_.origin.scope;
  return core::text(core::kind_of(node_.layer), location.empty() ? "" : " at ", location,
                    scope.empty() ? "" : " (", scope, scope.empty() ? "" : ")");
}

namespace {

template <typename Layer>
Tensors emit_layer(const Layer& layer, const Site& site) {
  if constexpr (std::is_same_v<Layer, core::Input> || std::is_same_v<Layer, core::Constant>)
    return {};
  else
    return emit(layer, site);
}

/// What a host input may hold, or how large another may be.
Profile profile_of(const core::Input& input) {
  Profile profile{input.name, input.host, {}, {}, {}};
  for (const core::Extent& extent : input.host ? input.content : input.type.dims) {
    profile.min.push_back(extent.min);
    profile.opt.push_back(extent.opt);
    profile.max.push_back(extent.max);
  }
  return profile;
}

/// The nodes of one network, top level or a body.
class Emitter {
 public:
  /// `named`: its layers get names; a body's would not be the only ones with theirs.
  Emitter(const Network& network, Writer& writer, bool named)
      : network_(network), writer_(writer), named_(named), values_(network.value_count()) {}

  void set(ValueId value, Tensor tensor) { values_.at(value) = std::move(tensor); }

  void add_nodes() {
    for (const Node& node : network_.nodes()) {
      if (std::holds_alternative<core::Input>(node.layer) ||
          std::holds_alternative<core::Constant>(node.layer))
        continue;
      add(node);
    }
  }

  Tensor value_of(ValueId value) {
    Tensor& known = values_.at(value);
    if (known.ref.id != 0) return known;
    if (const core::Tensor* tensor = network_.constant(value))
      return known = writer_.constant(*tensor);
    return known = from_content(value);
  }

 private:
  void add(const Node& node) {
    // Sizes that the host knows need no calls.
    if (std::all_of(node.outputs.begin(), node.outputs.end(),
                    [&](ValueId v) { return numbers_of(network_.content(v)).has_value(); }))
      return;
    const Site site(network_, node, [this](ValueId value) { return value_of(value); }, writer_);
    const Ref before = writer_.last_layer();
    Tensors results =
        std::visit([&](const auto& layer) { return emit_layer(layer, site); }, node.layer);
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      const core::TensorType& type = network_.type(node.outputs[i]);
      if (results.at(i).dtype != type.dtype || results[i].rank() != type.rank()) {
        throw core::internal_error("tensorrt: ", site.where(), " gives ",
                                   core::name(results[i].dtype), " of rank ", results[i].rank(),
                                   ", expected ", core::to_text(type));
      }
      results[i].dims = dims_of(type.dims);
      set(node.outputs[i], results[i]);
    }
    if (!named_ || writer_.last_layer() == before) return;
    const std::string& scope = node.origin.scope;
    writer_.set(writer_.last_layer(), "name",
                core::text(scope, scope.empty() ? "" : ".", core::kind_of(node.layer), '#',
                           node.outputs.front()));
  }

  Tensor from_content(ValueId value) {
    const auto numbers = numbers_of(network_.content(value));
    if (!numbers) throw core::internal_error("tensorrt: a value is read before it is written");
    const core::TensorType& type = network_.type(value);
    const Tensor wide =
        type.rank() == 0 ? writer_.scalar_i64(numbers->front()) : writer_.ints(*numbers);
    return writer_.cast(wide, type.dtype);
  }

  const Network& network_;
  Writer& writer_;
  bool named_;
  Tensors values_;
};

bool needs_profile(const core::Input& input) {
  return input.host || std::any_of(input.type.dims.begin(), input.type.dims.end(),
                                   [](const core::Extent& dim) { return !dim.is_static(); });
}

}  // namespace

Tensors emit_body(const Network& body, const Tensors& values, Writer& writer) {
  Emitter emitter(body, writer, /*named=*/false);
  for (std::size_t i = 0; i < body.inputs().size(); ++i)
    emitter.set(body.inputs()[i], values.at(i));
  emitter.add_nodes();
  Tensors results;
  for (const ValueId output : body.outputs()) results.push_back(emitter.value_of(output));
  return results;
}

Script to_script(const Network& network, Version version) {
  Script script;
  Writer writer(script, version);
  Emitter emitter(network, writer, /*named=*/true);
  for (const ValueId value : network.inputs()) {
    const auto& input = std::get<core::Input>(network.producer(value).layer);
    const Ints dims = dims_of(input.type.dims);
    emitter.set(value, {writer.call(kNetwork, "add_input", {input.name, input.type.dtype, dims}),
                        input.type.dtype, dims});
    if (needs_profile(input)) script.profiles.push_back(profile_of(input));
  }
  emitter.add_nodes();
  std::set<std::uint32_t> marked;
  for (std::size_t i = 0; i < network.outputs().size(); ++i) {
    const core::ValueId value = network.outputs()[i];
    Tensor output = emitter.value_of(value);
    // An input, or what is an output already, cannot be one.
    const bool is_input = std::holds_alternative<core::Input>(network.producer(value).layer);
    if (is_input || !marked.insert(output.ref.id).second) output = writer.identity(output);
    writer.set(output.ref, "name", network.output_names()[i]);
    writer.run(kNetwork, "mark_output", {output.ref});
  }
  return script;
}

std::string why_not_emitted(const Network& network, const Node& node, Version version) {
  if (std::holds_alternative<core::Input>(node.layer) ||
      std::holds_alternative<core::Constant>(node.layer))
    return {};
  Script script;
  Writer writer(script, version);
  try {
    const auto source = [&](ValueId value) -> Tensor {
      if (const core::Tensor* tensor = network.constant(value)) return writer.constant(*tensor);
      const core::TensorType& type = network.type(value);
      const Ints dims = dims_of(type.dims);
      return {writer.add("add_input", {std::string("x"), type.dtype, dims}), type.dtype, dims};
    };
    const Site site(network, node, source, writer);
    std::visit([&](const auto& layer) { return emit_layer(layer, site); }, node.layer);
  } catch (const core::Error& error) {
    return error.what();
  }
  return {};
}

}  // namespace torch_tensorrt::engines::tensorrt
