#include "compiler/conversion/converters/layout.h"

namespace torch_tensorrt::compiler {
namespace {

using core::PadMode;

/// `amounts` as PyTorch lists them: begin and end of the last axis, then of the one before, ...
Value padded_as_listed(OpContext& op, PadMode mode, std::string_view amounts,
                       std::optional<Value> value = {}) {
  const Value x = op.value("self");
  const Sizes listed = op.sizes(amounts);
  const std::size_t rank = static_cast<std::size_t>(x.rank());
  if (listed.size() % 2 != 0 || listed.size() > 2 * rank) {
    throw op.refuse(amounts, " has ", listed.size(), " numbers, expected an even count up to ",
                    2 * rank);
  }
  Sizes begin(rank, Size(0)), end(rank, Size(0));
  for (std::size_t i = 0; i < listed.size() / 2; ++i) {
    begin[rank - 1 - i] = listed[2 * i];
    end[rank - 1 - i] = listed[2 * i + 1];
  }
  return padded(x, mode, begin, end, value);
}

Value constant_padded(OpContext& op, std::string_view value) {
  const DType dtype = op.value("self").dtype();
  const double number = op.is_none(value) ? 0 : op.number(value);
  return padded_as_listed(op, PadMode::constant, "pad", op.net().scalar(number, dtype));
}

Value pad(OpContext& op) {
  const std::string mode = op.string("mode");
  if (mode == "constant") return constant_padded(op, "value");
  if (mode == "reflect") return padded_as_listed(op, PadMode::reflect, "pad");
  if (mode == "replicate") return padded_as_listed(op, PadMode::edge, "pad");
  if (mode == "circular") return padded_as_listed(op, PadMode::wrap, "pad");
  throw op.refuse("mode is '", mode, "', expected one of constant, reflect, replicate, circular");
}

Value constant_pad_nd(OpContext& op) { return constant_padded(op, "value"); }
Value pad_circular(OpContext& op) { return padded_as_listed(op, PadMode::wrap, "pad"); }
Value reflection_pad(OpContext& op) { return padded_as_listed(op, PadMode::reflect, "padding"); }
Value replication_pad(OpContext& op) { return padded_as_listed(op, PadMode::edge, "padding"); }

}  // namespace

void add_padding_ops(OpTable& table) {
  table.add<pad>(
      "aten::pad(Tensor self, SymInt[] pad, str mode=\"constant\", float? value=None) -> Tensor");
  table.add<constant_pad_nd>(
      "aten::constant_pad_nd(Tensor self, SymInt[] pad, Scalar value=0) -> Tensor");
  table.add<pad_circular>("aten::_pad_circular(Tensor self, SymInt[] pad) -> Tensor");
  table.add<reflection_pad>("aten::reflection_pad1d(Tensor self, SymInt[2] padding) -> Tensor");
  table.add<reflection_pad>("aten::reflection_pad2d(Tensor self, SymInt[4] padding) -> Tensor");
  table.add<reflection_pad>("aten::reflection_pad3d(Tensor self, SymInt[6] padding) -> Tensor");
  table.add<replication_pad>("aten::replication_pad1d(Tensor self, SymInt[2] padding) -> Tensor");
  table.add<replication_pad>("aten::replication_pad2d(Tensor self, SymInt[4] padding) -> Tensor");
  table.add<replication_pad>("aten::replication_pad3d(Tensor self, SymInt[6] padding) -> Tensor");
}

}  // namespace torch_tensorrt::compiler
