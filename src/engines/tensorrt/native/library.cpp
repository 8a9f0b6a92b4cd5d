#include "engines/tensorrt/native/library.h"

#include <dlfcn.h>

#include <vector>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "engines/tensorrt/native/builder.h"
#include "engines/tensorrt/native/engine.h"
#include "engines/tensorrt/native/logger.h"
#include "engines/tensorrt/native/versions.h"

namespace torch_tensorrt::engines::tensorrt {

namespace {

struct Library {
  void* handle = nullptr;
  std::string name;
};

/// The first of `names` that opens. Libraries stay open: those of CUDA beneath them do not unload.
Library open_first(const std::vector<std::string>& names) {
  std::string reasons;
  for (const std::string& name : names) {
    // Local symbols: libraries of several versions may be in one process.
    if (void* handle = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL)) return {handle, name};
    const char* reason = dlerror();
    reasons += core::text("; ", reason != nullptr ? reason : "unknown reason");
  }
  throw core::unavailable("[engine tensorrt] cannot open ", kProduct, reasons);
}

template <class Function>
Function* function(const Library& library, const char* name) {
  void* address = dlsym(library.handle, name);
  if (address == nullptr) {
    throw core::incompatible("[engine tensorrt] ", library.name, " has no function ", name,
                             ": it is not a library of ", kProduct);
  }
  return reinterpret_cast<Function*>(address);
}

/// TensorRT numbers 10.16.1 as 101601, and its versions before 10 as 8601.
std::string version_text(int version) {
  const int scale = version < 10000 ? 1000 : 10000;
  return core::text(version / scale, '.', version % scale / 100, '.', version % 100);
}

/// Interfaces and the numbers of enums differ between major versions; minor versions add to them.
void check_version(const Library& library, int version) {
  constexpr int oldest = NV_TENSORRT_MAJOR * 100 + NV_TENSORRT_MINOR;
  if (version / 10000 == NV_TENSORRT_MAJOR && version / 100 >= oldest) return;
  throw core::incompatible("[engine tensorrt] ", library.name, " is version ",
                           version_text(version), ", expected ", kProduct, ' ', NV_TENSORRT_MAJOR,
                           '.', NV_TENSORRT_MINOR, " or a later ", NV_TENSORRT_MAJOR, ".x");
}

/// NVIDIA's own plugins, where their library is installed too.
void register_plugins() {
  if (kPluginLibrary == nullptr) return;
  void* handle = dlopen(kPluginLibrary, RTLD_NOW | RTLD_LOCAL);
  void* address = handle != nullptr ? dlsym(handle, "initLibNvInferPlugins") : nullptr;
  if (address == nullptr) return core::log_info(kPluginLibrary, " is not found");
  // They log as long as the process lives.
  static auto* const logger = new Logger;
  reinterpret_cast<bool (*)(void*, const char*)>(address)(logger, "");
}

class LoadedLibrary final : public NativeLibrary {
 public:
  LoadedLibrary() : library_(open_first({kLibraries.begin(), kLibraries.end()})) {
    const int number = function<std::int32_t()>(library_, "getInferLibVersion")();
    check_version(library_, number);
    version_ = version_text(number);
    register_plugins();
  }

  std::string version() const override { return version_; }

  core::Blob build(const Script& script, const core::BuildOptions& options) const override {
    Logger logger;
    const auto builder =
        owned(create<nvinfer1::IBuilder>("createInferBuilder_INTERNAL", logger), "builder");
    return tensorrt::build(*builder, logger, script, options);
  }

  std::unique_ptr<core::ForeignEngine> load(const core::Blob& plan) const override {
    auto logger = std::make_unique<Logger>();
    auto runtime =
        owned(create<nvinfer1::IRuntime>("createInferRuntime_INTERNAL", *logger), "runtime");
    return load_engine(std::move(logger), std::move(runtime), plan);
  }

 private:
  template <class Interface>
  Interface* create(const char* name, nvinfer1::ILogger& logger) const {
    auto* make = function<void*(void*, std::int32_t)>(library_, name);
    return static_cast<Interface*>(make(&logger, NV_TENSORRT_VERSION));
  }

  Library library_;
  std::string version_;
};

}  // namespace

const NativeLibrary* native_library() {
  static const NativeLibrary* const library = []() -> const NativeLibrary* {
    try {
      return new LoadedLibrary;
    } catch (const core::Error& error) {
      core::log_info(error.what());
      return nullptr;
    }
  }();
  return library;
}

}  // namespace torch_tensorrt::engines::tensorrt
