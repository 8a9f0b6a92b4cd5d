#include "engines/tensorrt/native/library.h"

#include <dlfcn.h>

#include <vector>

#include "core/error.h"
#include "core/text.h"
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

}  // namespace

std::unique_ptr<nvinfer1::IBuilder> create_builder(const std::string& path,
                                                   nvinfer1::ILogger& logger) {
  const Library library =
      open_first(path.empty() ? std::vector<std::string>(kLibraries.begin(), kLibraries.end())
                              : std::vector<std::string>{path});
  check_version(library, function<std::int32_t()>(library, "getInferLibVersion")());
  auto* create = function<void*(void*, std::int32_t)>(library, "createInferBuilder_INTERNAL");
  void* builder = create(&logger, NV_TENSORRT_VERSION);
  return std::unique_ptr<nvinfer1::IBuilder>(static_cast<nvinfer1::IBuilder*>(builder));
}

}  // namespace torch_tensorrt::engines::tensorrt
