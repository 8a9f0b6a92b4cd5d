#pragma once

#include <string>

namespace torch_tensorrt::engines::openvino {

/// The widest instruction set that OpenVINO finds here: "avx512_amx", "avx512_bf16", "avx512_vnni",
/// "avx512", "avx2", "sse4.2"; off x86 the architecture's name.
std::string cpu_isa();
/// Family and model of the processor, where it says so: caches and tuning differ within one
/// instruction set.
std::string cpu_model();

}  // namespace torch_tensorrt::engines::openvino
