#include "engines/openvino/device.h"

#if defined(__x86_64__)
#include <cpuid.h>

#include <cstdint>
#endif

namespace torch_tensorrt::engines::openvino {

#if defined(__x86_64__)
namespace {

/// Matrix tiles: the processor has them (CPUID 7.0 EDX bits 24 and 25) and the system saves their
/// state (XCR0).
bool has_amx() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) return false;
  const unsigned tile_and_int8 = (1U << 24) | (1U << 25);
  if ((edx & tile_and_int8) != tile_and_int8) return false;
  std::uint32_t low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  const std::uint32_t tile_state = (1U << 17) | (1U << 18);
  return (low & tile_state) == tile_state;
}

}  // namespace

std::string cpu_isa() {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f")) {
    if (has_amx()) return "avx512_amx";
    if (__builtin_cpu_supports("avx512bf16")) return "avx512_bf16";
    if (__builtin_cpu_supports("avx512vnni")) return "avx512_vnni";
    return "avx512";
  }
  return __builtin_cpu_supports("avx2") ? "avx2" : "sse4.2";
}

std::string cpu_model() {
  constexpr unsigned kStepping = 0xf;
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  __get_cpuid(1, &eax, &ebx, &ecx, &edx);
  return std::to_string(eax & ~kStepping);
}
#else
#if defined(__aarch64__)
std::string cpu_isa() { return "aarch64"; }
#else
std::string cpu_isa() { return "generic"; }
#endif
std::string cpu_model() { return {}; }
#endif

}  // namespace torch_tensorrt::engines::openvino
