#pragma once

namespace torch_tensorrt::core {

/// The project's version, "0.1.0"; the build passes what python/torch_tensorrt/_version.py says.
inline constexpr const char* kVersion = TORCHTRT_VERSION;

}  // namespace torch_tensorrt::core
