// Loop and if: their bodies are models of their own.

#include "core/error.h"
#include "engines/openvino/emit.h"
#include "engines/openvino/emitter.h"

namespace torch_tensorrt::engines::openvino {

namespace {

/// Gives a body's result a new axis 0, along which a loop stacks it.
void unsqueeze_result(const std::shared_ptr<ov::op::v0::Result>& result) {
  result->input(0).replace_source_output(unsqueeze(result->input_value(0), {0}));
}

}  // namespace

Outs emit(const core::Loop& layer, const Site& site) {
  const auto body = to_body(*layer.body);
  const auto& parameters = body->get_parameters();
  const auto& results = body->get_results();
  const auto carried = static_cast<std::size_t>(layer.carried);
  for (std::size_t i = 1 + carried; i < results.size(); ++i) unsqueeze_result(results[i]);
  body->validate_nodes_and_infer_types();

  const auto loop = std::make_shared<op::v5::Loop>(site.in(0), site.in(1));
  loop->set_function(body);
  loop->set_special_body_ports({0, 0});
  const std::size_t first_value = 2;
  for (std::size_t i = 0; i + first_value < site.arity(); ++i) {
    const Out& value = site.in(first_value + i);
    if (i < carried)
      loop->set_merged_input(parameters[1 + i], value, results[1 + i]);
    else
      loop->set_invariant_input(parameters[1 + i], value);
  }
  Outs outs;
  for (std::size_t i = 1; i < results.size(); ++i) {
    outs.push_back(i <= carried ? loop->get_iter_value(results[i], -1)
                                : loop->get_concatenated_slices(results[i], 0, 1, 1, -1, 0));
  }
  loop->validate_and_infer_types();
  return outs;
}

Outs emit(const core::If& layer, const Site& site) {
  const auto then_body = to_body(*layer.then_branch);
  const auto else_body = to_body(*layer.else_branch);
  const auto node = std::make_shared<op::v8::If>(site.in(0));
  node->set_then_body(then_body);
  node->set_else_body(else_body);
  for (std::size_t i = 1; i < site.arity(); ++i) {
    node->set_input(site.in(i), then_body->get_parameters()[i - 1],
                    else_body->get_parameters()[i - 1]);
  }
  Outs outs;
  for (std::size_t i = 0; i < then_body->get_results().size(); ++i) {
    outs.push_back(node->set_output(then_body->get_results()[i], else_body->get_results()[i]));
  }
  node->validate_and_infer_types();
  return outs;
}

/// support.cpp refuses it; a network that another engine was built from comes here.
Outs emit(const core::Plugin& layer, const Site&) {
  throw core::unsupported("[engine] openvino runs no plugins of TensorRT, such as '", layer.plugin,
                          "'");
}

}  // namespace torch_tensorrt::engines::openvino
