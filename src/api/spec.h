#pragma once

#include "compiler/driver.h"
#include "core/settings.h"
#include "torch_tensorrt/torch_tensorrt.h"

namespace torch_tensorrt::api {

/// The compiler's form of a spec: every setting and the tree of inputs.
core::Settings to_settings(const torchscript::CompileSpec& spec);
compiler::Signature to_signature(const GraphInputs& inputs);

}  // namespace torch_tensorrt::api
