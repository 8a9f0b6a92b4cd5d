#include "engines/tensorrt/plan_tag.h"

#include <charconv>
#include <utility>
#include <vector>

namespace torch_tensorrt::engines::tensorrt {

namespace {

/// The numbers in "10.16.1" or "sm_90".
std::vector<int> numbers_of(const std::string& text) {
  std::vector<int> numbers;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    int number = 0;
    const auto [next, error] = std::from_chars(at, end, number);
    if (error == std::errc()) numbers.push_back(number);
    at = error == std::errc() ? next : at + 1;
  }
  return numbers;
}

bool is_open(const std::string& text) { return text.ends_with('+'); }

}  // namespace

core::Plan tagged_plan(std::string engine, std::string version, std::string device,
                       const core::TensorRtOptions& options) {
  if (options.version_compatible) version += '+';
  if (options.hardware_compatible) device = "sm_80+";
  return {std::move(engine), std::move(version), std::move(device), {}};
}

bool tag_fits(const core::Plan& plan, const std::string& version, const std::string& device) {
  const std::vector<int> built = numbers_of(plan.version), here = numbers_of(version);
  const bool version_fits =
      is_open(plan.version)
          ? !built.empty() && !here.empty() && built.front() == here.front() && built <= here
          : plan.version == version;
  const bool device_fits =
      is_open(plan.device) ? numbers_of(plan.device) <= numbers_of(device) : plan.device == device;
  return version_fits && device_fits;
}

}  // namespace torch_tensorrt::engines::tensorrt
