#pragma once

// Which TensorRT the headers are of, and all that differs between its versions.

#include <NvInfer.h>

#include <array>
#include <cstdint>

namespace torch_tensorrt::engines::tensorrt {

#ifdef TRT_MAJOR_RTX
// TensorRT-RTX counts its own versions; its 1.7 has the interface of TensorRT 11.1.
#define TORCHTRT_TENSORRT_11 (TRT_MAJOR_RTX * 100 + TRT_MINOR_RTX >= 107)
#define TORCHTRT_TENSORRT_10 0
inline constexpr const char* kProduct = "TensorRT-RTX";
inline constexpr std::array kLibraries = {"libtensorrt_rtx.so.1"};
inline constexpr const char* kPluginLibrary = nullptr;
#else
#define TORCHTRT_TENSORRT_11 (NV_TENSORRT_MAJOR == 11)
#define TORCHTRT_TENSORRT_10 (NV_TENSORRT_MAJOR == 10 && NV_TENSORRT_MINOR >= 16)
inline constexpr const char* kProduct = "TensorRT";
/// The other version's too, to say that it is the other one.
inline constexpr std::array kLibraries = {
    NV_TENSORRT_MAJOR == 11 ? "libnvinfer.so.11" : "libnvinfer.so.10",
    NV_TENSORRT_MAJOR == 11 ? "libnvinfer.so.10" : "libnvinfer.so.11"};
inline constexpr const char* kPluginLibrary =
    NV_TENSORRT_MAJOR == 11 ? "libnvinfer_plugin.so.11" : "libnvinfer_plugin.so.10";
#endif

#if !TORCHTRT_TENSORRT_10 && !TORCHTRT_TENSORRT_11
#error "Headers of TensorRT 10.16 or a later 10.x, of 11.x, or of TensorRT-RTX 1.7 are needed"
#endif

/// Layers decide the types of their outputs; since 11.0 in every network.
inline constexpr std::uint32_t kNetworkFlags =
#if TORCHTRT_TENSORRT_10
    1U << static_cast<std::uint32_t>(nvinfer1::NetworkDefinitionCreationFlag::kSTRONGLY_TYPED);
#else
    0;
#endif

}  // namespace torch_tensorrt::engines::tensorrt
