#include <dlfcn.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>

#include "core/engine.h"
#include "core/error.h"
#include "core/foreign.h"
#include "core/log.h"

namespace torch_tensorrt::core {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "libtorchtrt_engine_";
constexpr std::string_view kSuffix = ".so";

fs::path library_folder() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<void*>(&engine_plugin_names), &info) == 0 ||
      info.dli_fname == nullptr)
    return {};
  std::error_code ignored;
  const fs::path path = fs::weakly_canonical(info.dli_fname, ignored);
  return (path.empty() ? fs::path(info.dli_fname) : path).parent_path();
}

/// TORCHTRT_ENGINE_PATH, then this library's folder, then `engines` beside that folder.
std::vector<fs::path> search_path() {
  std::vector<fs::path> folders;
  if (const char* variable = std::getenv("TORCHTRT_ENGINE_PATH"); variable != nullptr) {
    std::string_view rest = variable;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(':'), rest.size());
      if (end > 0) folders.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  const fs::path own = library_folder();
  if (!own.empty()) {
    folders.push_back(own);
    folders.push_back(own.parent_path() / "engines");
  }
  return folders;
}

bool is_valid_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return ('a' <= c && c <= 'z') || ('0' <= c && c <= '9') || c == '_';
  });
}

struct Loaded {
  const EnginePlugin* plugin = nullptr;
  std::string reason;
};

std::string folders_text(const std::vector<fs::path>& folders) {
  std::vector<std::string> names;
  for (const fs::path& folder : folders) names.push_back(folder.string());
  return join(names, ", ");
}

/// What to do about an engine that is missing, or whose vendor's library is.
std::string install_hint(std::string_view name) {
  if (name == "openvino") {
    return "`pip install openvino`, and build torch_tensorrt again where it was built without it";
  }
  return text("install the engine '", name, "'");
}

Loaded open_library(const fs::path& path, std::string_view name) {
  // Local symbols: two vendors' libraries must not resolve into each other.
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* message = dlerror();
    return {nullptr,
            text("cannot load ", path.string(), ": ",
                 message != nullptr ? message : "unknown reason", "; ", install_hint(name))};
  }
  const auto entry = reinterpret_cast<EnginePluginEntry>(dlsym(library, kEnginePluginEntry));
  if (entry == nullptr) {
    return {nullptr, text(path.string(), " has no function ", kEnginePluginEntry,
                          "; it was built for another version of Torch-TensorRT")};
  }
  const EnginePlugin* plugin = entry();
  if (plugin == nullptr || plugin->name() != name) {
    return {nullptr, text(path.string(), " holds the engine '",
                          plugin == nullptr ? "" : plugin->name(), "', expected '", name, "'")};
  }
  return {plugin, ""};
}

Loaded open_plugin(std::string_view name) {
  if (!is_valid_name(name)) {
    return {nullptr, text("'", name,
                          "' is not an engine name, expected lower-case letters, digits and '_'")};
  }
  const std::string file = text(kPrefix, name, kSuffix);
  const std::vector<fs::path> folders = search_path();
  for (const fs::path& folder : folders) {
    std::error_code ignored;
    if (fs::exists(folder / file, ignored)) return open_library(folder / file, name);
  }
  return {nullptr, text(file, " was not found in ", folders_text(folders), "; ", install_hint(name),
                        ", or add its folder to TORCHTRT_ENGINE_PATH")};
}

/// Opens at most once per name; plugins and reasons live as long as the process.
const Loaded& load_once(std::string_view name) {
  static std::mutex mutex;
  static auto* const cache = new std::map<std::string, Loaded, std::less<>>;
  const std::lock_guard lock(mutex);
  auto found = cache->find(name);
  if (found == cache->end()) {
    found = cache->emplace(std::string(name), open_plugin(name)).first;
    if (found->second.plugin != nullptr) log_debug("loaded engine '", name, "'");
  }
  return found->second;
}

}  // namespace

const EnginePlugin* find_engine_plugin(std::string_view name, std::string* reason) {
  const Loaded& loaded = load_once(name);
  if (reason != nullptr) *reason = loaded.reason;
  return loaded.plugin;
}

const EnginePlugin& engine_plugin(std::string_view name) {
  const Loaded& loaded = load_once(name);
  if (loaded.plugin == nullptr) {
    const std::vector<std::string> names = engine_plugin_names();
    throw unavailable("engine '", name, "' cannot be used: ", loaded.reason,
                      names.empty() ? "" : "; engines found: " + join(names));
  }
  return *loaded.plugin;
}

std::vector<std::string> engine_plugin_names() {
  std::set<std::string> names;
  for (const fs::path& folder : search_path()) {
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
      const std::string file = entry->path().filename().string();
      const bool framed = file.size() > kPrefix.size() + kSuffix.size() &&
                          file.starts_with(kPrefix) && file.ends_with(kSuffix);
      if (!framed) continue;
      const std::string name =
          file.substr(kPrefix.size(), file.size() - kPrefix.size() - kSuffix.size());
      if (is_valid_name(name)) names.insert(name);
    }
  }
  return {names.begin(), names.end()};
}

const EnginePlugin& auto_engine_plugin(DeviceKind kind) {
  std::string reasons;
  for (const std::string_view name : {"tensorrt", "openvino", "reference"}) {
    std::string reason;
    const EnginePlugin* plugin = find_engine_plugin(name, &reason);
    if (plugin != nullptr && !plugin->runs_on(kind)) {
      reason = text("it does not run on ", kind == DeviceKind::cpu ? "the CPU" : "CUDA");
      plugin = nullptr;
    }
    if (plugin != nullptr) {
      const Availability available = plugin->available();
      if (available.yes) {
        if (name == "reference") {
          static std::once_flag said;
          std::call_once(said, [&] {
            log_warning("no fast engine can run here, using the slow 'reference' engine (", reasons,
                        ")");
          });
        }
        return *plugin;
      }
      reason = available.reason;
    }
    reasons += text(reasons.empty() ? "" : "; ", name, ": ", reason);
  }
  throw unavailable("no engine can run on ", kind == DeviceKind::cpu ? "the CPU" : "CUDA", ": ",
                    reasons);
}

namespace {

std::atomic<std::shared_ptr<const ForeignLibrary>>& the_foreign_library() {
  // Never destroyed: it holds Python objects.
  static auto* library = new std::atomic<std::shared_ptr<const ForeignLibrary>>;
  return *library;
}

}  // namespace

void set_foreign_library(std::shared_ptr<const ForeignLibrary> library) {
  the_foreign_library() = std::move(library);
}

std::shared_ptr<const ForeignLibrary> foreign_library() { return the_foreign_library(); }

}  // namespace torch_tensorrt::core
