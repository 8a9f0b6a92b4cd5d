#include <algorithm>

#include "compiler/conversion/op_context.h"
#include "core/error.h"

namespace torch_tensorrt::compiler {

OpTable::Entry OpTable::add(std::string_view schema, Converter converter) {
  const std::string key(schema.substr(0, schema.find('(')));
  if (!converters_.emplace(key, converter).second) {
    throw core::internal_error("[conversion] two converters for ", key);
  }
  schemas_.emplace(key, schema);
  return Entry(*this, converter);
}

OpTable::Entry& OpTable::Entry::also(std::string_view op) {
  if (!table_.converters_.emplace(op, converter_).second) {
    throw core::internal_error("[conversion] two converters for ", op);
  }
  return *this;
}

Converter OpTable::find(const std::string& op) const {
  const auto it = converters_.find(op);
  return it == converters_.end() ? nullptr : it->second;
}

std::vector<std::string> OpTable::names() const {
  std::vector<std::string> names;
  for (const auto& [name, converter] : converters_) names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

const OpTable& op_table() {
  static const OpTable table = [] {
    OpTable t;
    add_activation_ops(t);
    add_arithmetic_ops(t);
    add_attention_ops(t);
    add_compare_ops(t);
    add_convolution_ops(t);
    add_creation_ops(t);
    add_indexing_ops(t);
    add_linear_ops(t);
    add_normalization_ops(t);
    add_pooling_ops(t);
    add_recurrent_ops(t);
    add_reduction_ops(t);
    add_resampling_ops(t);
    add_scalar_ops(t);
    add_shape_ops(t);
    add_unary_ops(t);
    return t;
  }();
  return table;
}

}  // namespace torch_tensorrt::compiler
