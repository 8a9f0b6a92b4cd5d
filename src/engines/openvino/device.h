#pragma once

#include <string>

namespace torch_tensorrt::engines::openvino {

/// The widest instruction set that OpenVINO finds here: "avx512_amx", "avx512_bf16", "avx512_vnni",
/// "avx512", "avx2", "sse4.2"; off x86 the architecture's name.
std::string cpu_isa();

}  // namespace torch_tensorrt::engines::openvino
