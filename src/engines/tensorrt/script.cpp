#include "engines/tensorrt/script.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "core/text.h"

namespace torch_tensorrt::engines::tensorrt {

namespace {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};

std::string shortest(double value) {
  char buffer[40];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
}

std::string object_text(Ref ref) {
  if (ref == kNetwork) return "network";
  return ref == kRegistry ? "registry" : "%" + std::to_string(ref.id);
}

std::string join(const auto& items, auto&& text_of) {
  std::string out;
  for (const auto& item : items) out += (out.empty() ? "" : ", ") + text_of(item);
  return out;
}

std::string weights_text(const Script& script, WeightsRef ref) {
  if (ref.index < 0) return "none";
  const Weights& weights = script.weights.at(static_cast<std::size_t>(ref.index));
  return core::text('w', ref.index, ':', core::name(weights.dtype), '[', weights.bytes.size(),
                    " bytes]");
}

std::string field_text(const Script& script, const Field& field) {
  const auto* characters = std::get_if<std::string>(&field.value);
  return core::text(field.name, ": ",
                    characters ? '"' + *characters + '"'
                               : weights_text(script, std::get<WeightsRef>(field.value)));
}

std::string argument_text(const Script& script, const Argument& argument) {
  return std::visit(
      Overloaded{
          [](None) -> std::string { return "none"; },
          [](bool value) -> std::string { return value ? "true" : "false"; },
          [](std::int64_t value) { return std::to_string(value); },
          [](double value) { return shortest(value); },
          [](const std::string& value) { return '"' + value + '"'; },
          [](const Symbol& value) { return core::text(value.type, '.', value.member); },
          [](DType value) { return std::string(core::name(value)); },
          [](const Ints& value) {
            return '[' + join(value, [](std::int64_t n) { return std::to_string(n); }) + ']';
          },
          [](Ref value) { return object_text(value); },
          [](const std::vector<Ref>& value) { return '[' + join(value, object_text) + ']'; },
          [&](WeightsRef value) { return weights_text(script, value); },
          [&](const std::vector<Field>& value) {
            return '{' +
                   join(value, [&](const Field& field) { return field_text(script, field); }) + '}';
          }},
      argument);
}

nlohmann::json argument_json(const Argument& argument) {
  using nlohmann::json;
  return std::visit(
      Overloaded{[](None) -> json { return nullptr; }, [](bool value) -> json { return value; },
                 [](std::int64_t value) -> json { return value; },
                 [](double value) -> json { return value; },
                 [](const std::string& value) -> json { return value; },
                 [](const Symbol& value) -> json { return {{"enum", {value.type, value.member}}}; },
                 [](DType value) -> json { return {{"dtype", core::name(value)}}; },
                 [](const Ints& value) -> json { return {{"dims", value}}; },
                 [](Ref value) -> json { return {{"ref", value.id}}; },
                 [](const std::vector<Ref>& value) -> json {
                   json ids = json::array();
                   for (const Ref ref : value) ids.push_back(ref.id);
                   return {{"refs", ids}};
                 },
                 [](WeightsRef value) -> json { return {{"weights", value.index}}; },
                 [](const std::vector<Field>& value) -> json {
                   json fields = json::array();
                   for (const Field& field : value) {
                     const auto* characters = std::get_if<std::string>(&field.value);
                     fields.push_back(
                         {field.name, characters ? json(*characters)
                                                 : json(std::get<WeightsRef>(field.value).index)});
                   }
                   return {{"fields", fields}};
                 }},
      argument);
}

}  // namespace

std::string Script::to_text() const {
  std::string out;
  for (const Step& step : steps) {
    if (step.kind == Step::Kind::set) {
      out += object_text(step.object) + '.' + step.name + " = " +
             argument_text(*this, step.arguments.front()) + '\n';
      continue;
    }
    if (step.result.id != 0) out += object_text(step.result) + " = ";
    out += object_text(step.object) + '.' + step.name + '(' +
           join(step.arguments, [&](const Argument& a) { return argument_text(*this, a); }) + ")\n";
  }
  for (const Profile& profile : profiles) {
    const auto dims = [](const Ints& value) {
      return '[' + join(value, [](std::int64_t n) { return std::to_string(n); }) + ']';
    };
    out += core::text("profile ", profile.input, profile.host ? " values " : " shape ",
                      dims(profile.min), ' ', dims(profile.opt), ' ', dims(profile.max), '\n');
  }
  return out;
}

nlohmann::json to_json(const Script& script) {
  nlohmann::json out = {{"steps", nlohmann::json::array()},
                        {"weights", nlohmann::json::array()},
                        {"profiles", nlohmann::json::array()}};
  for (const Step& step : script.steps) {
    nlohmann::json arguments = nlohmann::json::array();
    for (const Argument& argument : step.arguments) arguments.push_back(argument_json(argument));
    out["steps"].push_back({step.kind == Step::Kind::set ? "set" : "call", step.result.id,
                            step.object.id, step.name, std::move(arguments)});
  }
  for (const Weights& entry : script.weights) out["weights"].push_back(core::name(entry.dtype));
  for (const Profile& profile : script.profiles) {
    out["profiles"].push_back({profile.input, profile.host, profile.min, profile.opt, profile.max});
  }
  return out;
}

}  // namespace torch_tensorrt::engines::tensorrt
