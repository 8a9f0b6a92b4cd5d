#pragma once

#include <c10/util/intrusive_ptr.h>

#include "compiler/graph.h"
#include "compiler/partitioning/partition.h"
#include "compiler/report.h"
#include "runtime/engine.h"

namespace torch_tensorrt::compiler {

/// A segment that became an engine (none in a dry run): `inputs` are the Vars that it takes, in
/// order.
struct BuiltSegment {
  Segment segment;
  std::vector<Var*> inputs;
  EngineReport report;
  c10::intrusive_ptr<runtime::Engine> engine;
};

/// Replaces the segments of one block by engine nodes (tensorrt::execute_engine, args: list of
/// inputs, the engine; results: the segment's outputs). A speculative one becomes an if: the engine
/// where it accepts its inputs, else the original ops.
TORCHTRT_API void stitch(Graph& graph, Block& block, std::vector<BuiltSegment> segments);

/// Constant tensors among the results become copies: the caller may write to what it gets, and the
/// next call must not see that.
TORCHTRT_API void copy_constant_results(Graph& graph, Block& block);

}  // namespace torch_tensorrt::compiler
