#include "core/infer.h"

namespace torch_tensorrt::core {
namespace {

struct Recurrence {
  std::int64_t hidden;
  Direction direction;
  bool batch_first;
  std::int64_t gates;
};

struct RecurrentDims {
  std::int64_t directions;
  Extent batch, length, inputs;
};

// C1 floating, one dtype · C2 x [B,T,I] or [T,B,I] · C3 hidden >= 1
RecurrentDims check_sequence(const Recurrence& r, const Operands& in) {
  in.require_float(0, "C1");
  in.require_rank(0, 3, "C2");
  in.require(1 <= r.hidden && r.hidden <= kUnbounded / 8, "C3", "hidden is ", r.hidden,
             ", expected at least 1");
  RecurrentDims out{r.direction == Direction::bidirectional ? 2 : 1, in.dim(0, 1), in.dim(0, 0),
                    in.dim(0, 2)};
  if (r.batch_first) std::swap(out.batch, out.length);
  return out;
}

void check_operand(const Operands& in, int i, const Dims& expected, std::string_view code) {
  in.require_dtype(i, in[0].dtype, "C1");
  in.require_rank(i, static_cast<int>(expected.size()), code);
  for (std::size_t axis = 0; axis < expected.size(); ++axis) {
    in.require_dim(i, static_cast<std::int64_t>(axis), expected[axis], code,
                   text("expected [", join(expected), "]"));
  }
}

TensorType sequence_type(const Recurrence& r, const RecurrentDims& d, DType dtype) {
  TensorType type{dtype, {d.length, d.batch, d.directions * r.hidden}};
  if (r.batch_first) std::swap(type.dims[0], type.dims[1]);
  return type;
}

}  // namespace

// C1..C3 above · C4 h0 and c0 [dirs,B,H] · C5 w [dirs,4H,I], r [dirs,4H,H], b [dirs,4H] · C6
// lengths i64 [B]
Results infer(const Lstm& layer, const Operands& in) {
  const Recurrence r{layer.hidden, layer.direction, layer.batch_first, 4};
  const RecurrentDims d = check_sequence(r, in);
  const TensorType state{in[0].dtype, {d.directions, d.batch, r.hidden}};
  check_operand(in, 1, state.dims, "C4");
  check_operand(in, 2, state.dims, "C4");
  check_operand(in, 3, {d.directions, r.gates * r.hidden, d.inputs}, "C5");
  check_operand(in, 4, {d.directions, r.gates * r.hidden, r.hidden}, "C5");
  check_operand(in, 5, {d.directions, r.gates * r.hidden}, "C5");
  if (in.has(6)) {
    in.require_dtype(6, DType::i64, "C6");
    in.require_rank(6, 1, "C6");
    in.require_dim(6, 0, d.batch, "C6", "x's batch");
  }
  return {{sequence_type(r, d, in[0].dtype)}, {state}, {state}};
}

// C1..C3 above · C4 h0 [dirs,B,H] · C5 w [dirs,3H,I], r [dirs,3H,H], bw and br [dirs,3H]
Results infer(const Gru& layer, const Operands& in) {
  const Recurrence r{layer.hidden, layer.direction, layer.batch_first, 3};
  const RecurrentDims d = check_sequence(r, in);
  const TensorType state{in[0].dtype, {d.directions, d.batch, r.hidden}};
  check_operand(in, 1, state.dims, "C4");
  check_operand(in, 2, {d.directions, r.gates * r.hidden, d.inputs}, "C5");
  check_operand(in, 3, {d.directions, r.gates * r.hidden, r.hidden}, "C5");
  check_operand(in, 4, {d.directions, r.gates * r.hidden}, "C5");
  check_operand(in, 5, {d.directions, r.gates * r.hidden}, "C5");
  return {{sequence_type(r, d, in[0].dtype)}, {state}};
}

// C1..C3 above · C4 h0 [dirs,B,H] · C5 w [dirs,H,I], r [dirs,H,H], b [dirs,H]
Results infer(const Rnn& layer, const Operands& in) {
  const Recurrence r{layer.hidden, layer.direction, layer.batch_first, 1};
  const RecurrentDims d = check_sequence(r, in);
  const TensorType state{in[0].dtype, {d.directions, d.batch, r.hidden}};
  check_operand(in, 1, state.dims, "C4");
  check_operand(in, 2, {d.directions, r.hidden, d.inputs}, "C5");
  check_operand(in, 3, {d.directions, r.hidden, r.hidden}, "C5");
  check_operand(in, 4, {d.directions, r.hidden}, "C5");
  return {{sequence_type(r, d, in[0].dtype)}, {state}};
}

}  // namespace torch_tensorrt::core
