#include "engines/conformance/known.h"

#include "engines/conformance/known_openvino.h"
#include "engines/conformance/known_reference.h"

namespace torch_tensorrt::engines::conformance {

KnownTable known_table(std::string_view engine) {
  if (engine == "openvino") return {engine, kOpenvinoUnsupported, kOpenvinoExpectedFailures};
  if (engine == "reference") return {engine, kReferenceUnsupported, kReferenceExpectedFailures};
  return {engine, {}, {}};
}

bool fits(std::string_view name, std::string_view pattern) {
  if (pattern.empty()) return name.empty();
  if (pattern.front() == '*') {
    for (std::size_t skip = 0; skip <= name.size(); ++skip) {
      if (fits(name.substr(skip), pattern.substr(1))) return true;
    }
    return false;
  }
  return !name.empty() && name.front() == pattern.front() &&
         fits(name.substr(1), pattern.substr(1));
}

}  // namespace torch_tensorrt::engines::conformance
