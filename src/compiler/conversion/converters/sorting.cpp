#include "compiler/conversion/converters/layout.h"

namespace torch_tensorrt::compiler {
namespace {

struct Ranked {
  Value values, indices;
};

/// The k first along `axis`, in order. Scalars, bool and small integers pass through types that can
/// be ordered.
Ranked ranked(Value x, const Size& k, int axis, bool largest) {
  auto& net = x.builder();
  if (x.rank() == 0) {
    const Ranked row = ranked(net.unsqueeze(x, {0}), k, 0, largest);
    return {net.squeeze(row.values, {0}), net.squeeze(row.indices, {0})};
  }
  const DType dtype = x.dtype();
  const bool narrow = dtype == DType::b || dtype == DType::u8 || dtype == DType::i8;
  const auto [values, indices] = net.topk(narrow ? net.cast(x, DType::i32) : x, k, axis, largest);
  return {net.cast(values, dtype), indices};
}

Size length(Value x, int axis) { return x.rank() == 0 ? Size(1) : x.builder().size(x, axis); }

std::vector<Bound> topk(OpContext& op) {
  const Value x = op.value("self");
  const Ranked r = ranked(x, op.size("k"), op.axis("dim", x.rank()), op.flag("largest"));
  return {r.values, r.indices};
}

Ranked sorted(OpContext& op) {
  const Value x = op.value("self");
  const int axis = op.axis("dim", x.rank());
  return ranked(x, length(x, axis), axis, op.flag("descending"));
}

/// Does the order of equal elements show?
void require_no_stable_indices(OpContext& op, std::size_t result) {
  const auto named = op.node().schema()->argumentIndexWithName("stable");
  if (named && !op.is_none("stable") && op.flag("stable") && is_used(op.node(), result)) {
    throw op.refuse(
        "stable is true and the indices are used; engines do not promise the order of equal "
        "elements");
  }
}

std::vector<Bound> sort(OpContext& op) {
  require_no_stable_indices(op, 1);
  const Ranked r = sorted(op);
  return {r.values, r.indices};
}
Value argsort(OpContext& op) {
  require_no_stable_indices(op, 0);
  return sorted(op).indices;
}
Value msort(OpContext& op) {
  const Value x = op.value("self");
  return ranked(x, length(x, 0), 0, false).values;
}

std::vector<Bound> kthvalue(OpContext& op) {
  const Value x = op.value("self");
  const int axis = op.axis("dim", x.rank());
  const Size k = op.size("k");
  const Ranked r = ranked(x, k, axis, false);
  if (x.rank() == 0) return {r.values, r.indices};
  const Size last = op.net().sub(k, 1);
  if (op.flag("keepdim"))
    return {sliced(r.values, axis, last, 1), sliced(r.indices, axis, last, 1)};
  return {element(r.values, axis, last), element(r.indices, axis, last)};
}

}  // namespace

void add_sorting_ops(OpTable& table) {
  table.add(
      "aten::topk(Tensor self, SymInt k, int dim=-1, bool largest=True, bool sorted=True) -> "
      "(Tensor values, Tensor "
      "indices)",
      topk);
  table
      .add(
          "aten::sort(Tensor self, int dim=-1, bool descending=False) -> (Tensor values, Tensor "
          "indices)",
          sort)
      .also("aten::sort.stable");
  table.add<argsort>("aten::argsort(Tensor self, int dim=-1, bool descending=False) -> Tensor")
      .also("aten::argsort.stable");
  table.add<msort>("aten::msort(Tensor self) -> Tensor");
  table.add(
      "aten::kthvalue(Tensor self, SymInt k, int dim=-1, bool keepdim=False) -> (Tensor values, "
      "Tensor indices)",
      kthvalue);
}

}  // namespace torch_tensorrt::compiler
