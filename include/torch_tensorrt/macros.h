#pragma once

/// Marks what the libraries export.
#define TORCHTRT_API __attribute__((visibility("default")))
/// Marks what stays inside a library.
#define TORCHTRT_HIDDEN __attribute__((visibility("hidden")))

#define TORCHTRT_STRINGIZE_(x) #x
#define TORCHTRT_STRINGIZE(x) TORCHTRT_STRINGIZE_(x)

/// Version of the headers; `torch_tensorrt::get_build_info()` has that of the library.
#define TORCH_TENSORRT_MAJOR_VERSION 0
#define TORCH_TENSORRT_MINOR_VERSION 1
#define TORCH_TENSORRT_PATCH_VERSION 0
/// "0.1.0"
#define TORCH_TENSORRT_VERSION                                                 \
  TORCHTRT_STRINGIZE(TORCH_TENSORRT_MAJOR_VERSION)                             \
  "." TORCHTRT_STRINGIZE(TORCH_TENSORRT_MINOR_VERSION) "." TORCHTRT_STRINGIZE( \
      TORCH_TENSORRT_PATCH_VERSION)

namespace torch_tensorrt {
/// The TorchScript compiler; `ts` for short.
namespace torchscript {}
namespace ts = torchscript;
}  // namespace torch_tensorrt
/// The short name of everything here.
namespace torchtrt = torch_tensorrt;
