#pragma once

#include <string>

#include "torch_tensorrt/macros.h"

namespace torch_tensorrt::logging {

/// Levels of the log, from the rarest to the most. A message is printed to stderr when its level is
/// at most the reportable one.
enum class Level {
  kINTERNAL_ERROR,  ///< defects of Torch-TensorRT
  kERROR,           ///< what could not be done
  kWARNING,         ///< what may surprise
  kINFO,            ///< what was done
  kDEBUG,           ///< each step
  kGRAPH,           ///< the programs between the steps
};

/// What every line begins with; "[Torch-TensorRT] - " unless set.
TORCHTRT_API std::string get_logging_prefix();
TORCHTRT_API void set_logging_prefix(std::string prefix);

/// The most talkative level that is printed; kWARNING unless set.
TORCHTRT_API void set_reportable_log_level(Level level);
TORCHTRT_API Level get_reportable_log_level();

/// Levels in color; off unless set.
TORCHTRT_API void set_is_colored_output_on(bool colored);
TORCHTRT_API bool get_is_colored_output_on();

/// Writes a message to the log, if `level` is reportable.
TORCHTRT_API void log(Level level, std::string message);

}  // namespace torch_tensorrt::logging
