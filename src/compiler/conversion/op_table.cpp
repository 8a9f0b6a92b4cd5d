#include <algorithm>
#include <map>
#include <mutex>
#include <set>

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
  return it == converters_.end() ? Converter() : it->second;
}

namespace {

struct UserConverters {
  std::mutex mutex;
  std::map<std::size_t, std::shared_ptr<const UserConverter>> by_number;
  std::size_t next = 0;
};

/// Never destroyed: a converter may hold what is gone when the process ends (Python).
UserConverters& user_converters() {
  static auto* converters = new UserConverters;
  return *converters;
}

}  // namespace

std::size_t add_converter(UserConverter converter) {
  UserConverters& all = user_converters();
  const std::lock_guard lock(all.mutex);
  all.by_number[all.next] = std::make_shared<const UserConverter>(std::move(converter));
  return all.next++;
}

void remove_converter(std::size_t number) {
  UserConverters& all = user_converters();
  const std::lock_guard lock(all.mutex);
  all.by_number.erase(number);
}

std::vector<std::string> user_converter_names() {
  UserConverters& all = user_converters();
  const std::lock_guard lock(all.mutex);
  std::set<std::string> names;
  for (const auto& [number, converter] : all.by_number) names.insert(converter->op);
  return {names.begin(), names.end()};
}

FoundConverter find_converter(const Node& node) {
  std::vector<std::shared_ptr<const UserConverter>> candidates;
  {
    UserConverters& all = user_converters();
    const std::lock_guard lock(all.mutex);
    for (const auto& [number, converter] : all.by_number) {
      if (converter->op == node.name()) candidates.push_back(converter);
    }
  }
  const auto latest = [&](bool high_priority) {
    const auto found = std::find_if(candidates.rbegin(), candidates.rend(), [&](const auto& c) {
      return c->high_priority == high_priority && (!c->takes || c->takes(node));
    });
    return found == candidates.rend() ? Converter() : (*found)->convert;
  };
  if (auto converter = latest(true)) return {std::move(converter), false};
  if (auto converter = op_table().find(node.name())) return {std::move(converter), true};
  return {latest(false), false};
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
    add_quantization_ops(t);
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
