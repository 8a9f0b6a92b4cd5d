// The registry of plugins, the creators in it and what they make.

#include <algorithm>
#include <memory>
#include <string_view>

#include "core/settings.h"
#include "core/text.h"
#include "engines/tensorrt/native/class_table.h"

namespace torch_tensorrt::engines::tensorrt {

using namespace nvinfer1;  // NOLINT: this file is a list of its names

namespace {

/// The creator as `Creator`, whose kind is `kind`; null where it is of another interface.
template <class Creator>
Creator* creator_as(IPluginCreatorInterface* creator, std::string_view kind) {
  const bool is_it = creator->getInterfaceInfo().kind == kind;
  return is_it ? static_cast<Creator*>(creator) : nullptr;
}
IPluginCreatorV3One* as_v3(IPluginCreatorInterface* creator) {
  return creator_as<IPluginCreatorV3One>(creator, "PLUGIN CREATOR_V3ONE");
}
IPluginCreator* as_v2(IPluginCreatorInterface* creator) {
  return creator_as<IPluginCreator>(creator, "PLUGIN CREATOR_V1");
}

std::string identity(const char* plugin, const char* version, const char* ns) {
  return core::text('\'', plugin, "' of version '", version, "' in namespace '", ns, '\'');
}

struct Registered {
  std::string name, identity;
};

/// Interfaces that a network takes no plugins of are left out.
std::vector<Registered> registered(IPluginRegistry& registry) {
  std::int32_t count = 0;
  IPluginCreatorInterface* const* creators = registry.getAllCreatorsRecursive(&count);
  std::vector<Registered> out;
  for (std::int32_t i = 0; i < count; ++i) {
    const auto add = [&](auto* creator) {
      if (creator == nullptr) return;
      out.push_back(
          {creator->getPluginName(), identity(creator->getPluginName(), creator->getPluginVersion(),
                                              creator->getPluginNamespace())});
    };
    add(as_v3(creators[i]));
    add(as_v2(creators[i]));
  }
  return out;
}

/// "nearest: 'Scale' of version '1' in namespace 'mylib'", or all where no name is near.
std::string advice(IPluginRegistry& registry, const std::string& name) {
  const std::vector<Registered> known = registered(registry);
  std::vector<std::string> names, near;
  for (const Registered& plugin : known) names.push_back(plugin.name);
  const std::string nearest = core::nearest_name(name, names);
  for (const Registered& plugin : known) {
    if (nearest.empty() || plugin.name == nearest) near.push_back(plugin.identity);
  }
  return core::text(nearest.empty() ? "registered: " : "nearest: ", core::join(near, "; "));
}

Object get_creator(const Call& call, void* self) {
  auto* registry = static_cast<IPluginRegistry*>(self);
  const auto name = [&](std::size_t i) { return call.as<const char*>(call.argument(i)); };
  IPluginCreatorInterface* creator = registry->getCreator(name(0), name(1), name(2));
  if (creator != nullptr) return object_of(creator);
  call.refuse(core::text("no plugin ", identity(name(0), name(1), name(2)), " is registered; ",
                         advice(*registry, name(0)),
                         ". Load the library that registers it before engines are built, and "
                         "before they run"));
}

template <class Plugin>
Object owned_plugin(const Call& call, Plugin* plugin, void (*destroy)(void*)) {
  if (plugin == nullptr) call.refuse("its creator makes no plugin of these fields");
  Object made = object_of(plugin);
  made.owner = std::shared_ptr<void>(plugin, destroy);
  return made;
}

/// With a phase: of IPluginCreatorV3One; without: of IPluginCreator.
Object create_plugin(const Call& call, void* self) {
  auto* creator = static_cast<IPluginCreatorInterface*>(self);
  const auto* name = call.as<const char*>(call.argument(0));
  const std::vector<PluginField> fields = call.fields(call.argument(1));
  const PluginFieldCollection collection{static_cast<std::int32_t>(fields.size()), fields.data()};
  if (call.count() > 2) {
    auto* v3 = as_v3(creator);
    if (v3 == nullptr) call.refuse("its creator makes no IPluginV3; add_plugin_v2 takes others");
    const auto phase = call.as<TensorRTPhase>(call.argument(2));
    return owned_plugin(call, v3->createPlugin(name, &collection, phase),
                        [](void* plugin) { delete static_cast<IPluginV3*>(plugin); });
  }
  auto* v2 = as_v2(creator);
  if (v2 == nullptr) call.refuse("its creator makes no IPluginV2; add_plugin_v3 takes others");
  return owned_plugin(call, v2->createPlugin(name, &collection),
                      [](void* plugin) { static_cast<IPluginV2*>(plugin)->destroy(); });
}

}  // namespace

template <>
constexpr auto methods_of<IPluginRegistry> = members({{"get_creator", get_creator}});

template <>
constexpr auto methods_of<IPluginCreatorInterface> = members({{"create_plugin", create_plugin}});

template <class T>
const ClassTable& class_of() {
  static const ClassTable table = table_of<T>();
  return table;
}

template const ClassTable& class_of<IPluginRegistry>();
template const ClassTable& class_of<IPluginCreatorInterface>();
template const ClassTable& class_of<IPluginV2>();
template const ClassTable& class_of<IPluginV3>();

}  // namespace torch_tensorrt::engines::tensorrt
