#include "engines/tensorrt/native/player.h"

#include <algorithm>
#include <vector>

#include "core/text.h"
#include "engines/tensorrt/native/classes.h"

namespace torch_tensorrt::engines::tensorrt {

namespace {

const Member* find_member(std::span<const Member> members, std::string_view name) {
  const auto found = std::ranges::find(members, name, &Member::name);
  return found != members.end() ? &*found : nullptr;
}

/// The class's own member of the step's name.
const Member* find_member(const ClassTable& type, const Step& step) {
  const bool sets = step.kind == Step::Kind::set;
  const Member* found = find_member(sets ? type.attributes : type.methods, step.name);
  if (found != nullptr) return found;
  return find_member(sets ? type.later_attributes : type.later_methods, step.name);
}

Object perform(const Call& call, const Step& step, const Object& object) {
  void* self = object.pointer;
  for (const ClassTable* type = object.type; type != nullptr; type = type->base) {
    const Member* member = find_member(*type, step);
    if (member != nullptr) return member->invoke(call, self);
    if (type->base != nullptr) self = type->as_base(self);
  }
  call.refuse(core::text(object.type->name, " of ", tensorrt_name(), " has no ",
                         step.kind == Step::Kind::set ? "attribute " : "method ", step.name));
}

}  // namespace

void play(const Script& script, nvinfer1::INetworkDefinition& network,
          nvinfer1::IPluginRegistry& registry) {
  std::vector<Object> objects(std::max<std::size_t>(script.object_count, 1));
  objects[kNetwork.id] = {&class_of<nvinfer1::INetworkDefinition>(), &network};
  const Object object_of_registry{&class_of<nvinfer1::IPluginRegistry>(), &registry};
  for (const Step& step : script.steps) {
    const Call call(script, step, objects);
    const bool is_known = step.object.id < objects.size();
    const Object object = step.object == kRegistry ? object_of_registry
                          : is_known               ? objects[step.object.id]
                                                   : Object();
    if (object.type == nullptr) call.defect("no step gave its object");
    const Object result = perform(call, step, object);
    if (step.result.id == 0) continue;
    if (result.type == nullptr) call.defect("gives no object");
    if (step.result.id >= objects.size()) objects.resize(step.result.id + 1);
    objects[step.result.id] = result;
  }
}

}  // namespace torch_tensorrt::engines::tensorrt
