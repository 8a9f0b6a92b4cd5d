#include <algorithm>
#include <array>
#include <map>

#include "compiler/conversion/converters/compose.h"
#include "compiler/conversion/converters/layout.h"

namespace torch_tensorrt::compiler {
namespace {

/// Products run in floating point: integer ones would be rounded beyond 2^24.
void require_float(OpContext& op, Value x) {
  if (core::is_float(x.dtype())) return;
  throw op.refuse("operands are ", core::name(x.dtype()), ", expected a floating type");
}

Value linear(OpContext& op) {
  const Value x = op.value("input");
  require_float(op, x);
  return linear_layer(x, op.value("weight"), op.optional("bias"));
}

Value matmul(OpContext& op) { return matrix_product(op, op.value("self"), op.value("other")); }
Value mm(OpContext& op) { return matrix_product(op, op.value("self"), op.value("mat2")); }
Value mv(OpContext& op) { return matrix_product(op, op.value("self"), op.value("vec")); }
Value dot(OpContext& op) { return matrix_product(op, op.value("self"), op.value("tensor")); }

/// beta * self + alpha * product; self is not read where beta is 0.
Value added(OpContext& op, Value product) {
  product = scaled(op, product, "alpha");
  if (op.number("beta") == 0) return product;
  return scaled(op, op.value("self"), "beta") + product;
}

Value addmm(OpContext& op) {
  return added(op, matrix_product(op, op.value("mat1"), op.value("mat2")));
}

Value addmv(OpContext& op) {
  return added(op, matrix_product(op, op.value("mat"), op.value("vec")));
}

Value baddbmm(OpContext& op) {
  return added(op, matrix_product(op, op.value("batch1"), op.value("batch2")));
}

Value addbmm(OpContext& op) {
  const Value products = matrix_product(op, op.value("batch1"), op.value("batch2"));
  return added(op, op.net().reduce(ReduceOp::sum, products, {0}, false));
}

Value outer_product(Value a, Value b) { return a.builder().unsqueeze(a, {1}) * b; }

Value outer(OpContext& op) { return outer_product(operand(op), operand(op, "vec2")); }

Value addr(OpContext& op) { return added(op, outer_product(op.value("vec1"), op.value("vec2"))); }

Value chain(OpContext& op, const std::vector<Value>& matrices) {
  Value product = matrices.front();
  for (std::size_t i = 1; i < matrices.size(); ++i) {
    product = matrix_product(op, product, matrices[i]);
  }
  return product;
}

Value chain_matmul(OpContext& op) { return chain(op, op.values("matrices")); }
Value multi_dot(OpContext& op) { return chain(op, op.values("tensors")); }

// ---- einsum ----

/// Terms of an equation as labels; letters of PyTorch are single labels, dimensions of an ellipsis
/// get labels of their own.
using Label = int;
using Term = std::vector<Label>;
struct Equation {
  std::vector<Term> inputs;
  Term output;
};

Value einsum_layer(OpContext& op, const Equation& equation, std::vector<Value> xs) {
  std::map<Label, char> letters;
  std::string text;
  const auto write = [&](const Term& term) {
    for (const Label label : term) {
      const auto next = static_cast<char>('a' + letters.size());
      const char letter = letters.emplace(label, next).first->second;
      if (letter > 'z') throw op.refuse("the equation has more than 26 dimensions");
      text += letter;
    }
  };
  for (std::size_t i = 0; i < equation.inputs.size(); ++i) {
    if (i > 0) text += ',';
    write(equation.inputs[i]);
  }
  text += "->";
  write(equation.output);
  for (const Value& x : xs) require_float(op, x);
  return op.net().add(core::Einsum{text}, xs).front();
}

/// Labels of dimensions that an ellipsis covers, counted from the last one: they broadcast from the
/// right.
constexpr Label kEllipsis = 1000;

/// One term, "b...ij", for an operand of `rank` dimensions (rank < 0: the output, `covered`
/// dimensions).
Term parse_term(OpContext& op, std::string_view text, int rank, int& covered) {
  Term term;
  const std::size_t dots = text.find("...");
  const int letters = static_cast<int>(text.size()) - (dots == text.npos ? 0 : 3);
  if (rank >= 0 && (dots == text.npos ? letters != rank : letters > rank)) {
    throw op.refuse("the equation's term '", text, "' does not fit an operand of ", rank,
                    " dimensions");
  }
  const int here = rank < 0 ? covered : rank - letters;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == dots) {
      for (int k = here; k > 0; --k) term.push_back(kEllipsis + k);
      i += 2;
    } else {
      term.push_back(text[i]);
    }
  }
  if (dots != text.npos) covered = std::max(covered, here);
  return term;
}

Equation parse_equation(OpContext& op, const std::vector<Value>& xs) {
  std::string text = op.string("equation");
  std::erase(text, ' ');
  const std::size_t arrow = text.find("->");
  std::string_view inputs = std::string_view(text).substr(0, arrow);
  Equation equation;
  int covered = 0;
  for (const Value& x : xs) {
    const std::size_t end = std::min(inputs.find(','), inputs.size());
    equation.inputs.push_back(parse_term(op, inputs.substr(0, end), x.rank(), covered));
    inputs.remove_prefix(std::min(end + 1, inputs.size()));
  }
  if (arrow != text.npos) {
    equation.output = parse_term(op, std::string_view(text).substr(arrow + 2), -1, covered);
    return equation;
  }
  // The ellipsis, then every letter that occurs once, in order (upper case first).
  for (int k = covered; k > 0; --k) equation.output.push_back(kEllipsis + k);
  std::map<Label, int> uses;
  for (const Term& term : equation.inputs) {
    for (const Label label : term) ++uses[label];
  }
  for (const auto& [label, count] : uses) {
    if (label < kEllipsis && count == 1) equation.output.push_back(label);
  }
  return equation;
}

Value einsum(OpContext& op) {
  const std::vector<Value> xs = op.values("tensors");
  return einsum_layer(op, parse_equation(op, xs), xs);
}

Term counting(int first, int count) {
  Term term;
  for (int i = 0; i < count; ++i) term.push_back(first + i);
  return term;
}

/// y[.., o] = sum_ij x1[.., i] w[o, i, j] x2[.., j] + bias[o].
Value bilinear(OpContext& op) {
  const Value x1 = op.value("input1"), x2 = op.value("input2");
  const Label i = 500, j = 501, o = 502;
  const Term batch = counting(0, x1.rank() - 1);
  const auto with = [&](Label label) {
    Term term = batch;
    term.push_back(label);
    return term;
  };
  const Equation equation{{with(i), {o, i, j}, with(j)}, with(o)};
  const Value y = einsum_layer(op, equation, {x1, op.value("weight"), x2});
  const std::optional<Value> bias = op.optional("bias");
  return bias ? y + *bias : y;
}

/// The product of three operands, each unsqueezed at its `expand` axes, summed over `sumdim`.
Value trilinear(OpContext& op) {
  const Value xs[] = {op.value("i1"), op.value("i2"), op.value("i3")};
  const std::vector<std::int64_t> expands[] = {op.integers("expand1"), op.integers("expand2"),
                                               op.integers("expand3")};
  const int total = xs[0].rank() + static_cast<int>(expands[0].size());
  const auto all_but = [&](const std::vector<std::int64_t>& left_out) {
    Term term = counting(0, total);
    std::erase_if(term, [&](Label label) {
      return std::find(left_out.begin(), left_out.end(), label) != left_out.end();
    });
    return term;
  };
  const Equation equation{{all_but(expands[0]), all_but(expands[1]), all_but(expands[2])},
                          all_but(op.integers("sumdim"))};
  return einsum_layer(op, equation, {xs[0], xs[1], xs[2]});
}

Value tensordot(OpContext& op) {
  const Value a = op.value("self"), b = op.value("other");
  const std::vector<std::int64_t> of_a = op.integers("dims_self"), of_b = op.integers("dims_other");
  const auto wrapped = [](std::int64_t axis, Value x) {
    return static_cast<std::size_t>(axis < 0 ? axis + x.rank() : axis);
  };
  Term left = counting(0, a.rank()), right = counting(a.rank(), b.rank());
  Equation equation{{left, right}, {}};
  for (std::size_t i = 0; i < of_a.size(); ++i) {
    const std::size_t from = wrapped(of_a[i], a), to = wrapped(of_b.at(i), b);
    equation.inputs[1].at(to) = left.at(from);
    equation.inputs[0].at(from) = left.at(from);
  }
  const auto contracted = [&](Label label) {
    return std::find(equation.inputs[1].begin(), equation.inputs[1].end(), label) !=
           equation.inputs[1].end();
  };
  for (const Label label : left) {
    if (!contracted(label)) equation.output.push_back(label);
  }
  for (const Label label : equation.inputs[1]) {
    if (label >= a.rank()) equation.output.push_back(label);
  }
  return einsum_layer(op, equation, {a, b});
}

/// Sums over the last axes of both.
Value inner(OpContext& op) {
  const Value a = op.value("self"), b = op.value("other");
  if (a.rank() == 0 || b.rank() == 0) return a * b;
  Equation equation{{counting(0, a.rank()), counting(a.rank(), b.rank())}, {}};
  equation.inputs[1].back() = equation.inputs[0].back();
  for (const Term& term : equation.inputs) {
    equation.output.insert(equation.output.end(), term.begin(), term.end() - 1);
  }
  return einsum_layer(op, equation, {a, b});
}

// ---- products along an axis, distances ----

Value vecdot(OpContext& op) {
  const Value product = op.value("x") * op.value("y");
  return op.net().reduce(ReduceOp::sum, product, {op.axis("dim", product.rank())}, false);
}

/// a x b = roll(a, 1) roll(b, 2) - roll(a, 2) roll(b, 1) along an axis of size 3, rolled backwards.
Value cross(OpContext& op) {
  auto& net = op.net();
  const Value a = op.value("self"), b = op.value("other");
  const int axis = op.axis("dim", a.rank());
  const auto rolled = [&](Value x, std::int64_t by) {
    return net.one(core::Roll{{-by}, {axis}}, {x});
  };
  return rolled(a, 1) * rolled(b, 2) - rolled(a, 2) * rolled(b, 1);
}

Value cosine_similarity(OpContext& op) {
  auto& net = op.net();
  const Value a = operand(op, "x1"), b = operand(op, "x2");
  const int rank = std::max(a.rank(), b.rank());
  const int axis = op.axis("dim", rank);
  const double eps = op.number("eps");
  const auto normalized = [&](Value x) {
    const Value aligned = net.align_rank(x, rank);
    const Value length = vector_norm(aligned, 2, {axis}, true);
    return aligned / binary(BinaryOp::max, length, like(length, eps));
  };
  return net.reduce(ReduceOp::sum, normalized(a) * normalized(b), {axis}, false);
}

Value pairwise_distance(OpContext& op) {
  const Value difference = op.value("x1") - op.value("x2") + op.number("eps");
  return vector_norm(difference, op.number("p"), {difference.rank() - 1}, op.flag("keepdim"));
}

/// |a - b| for all pairs by |a|^2 + |b|^2 - 2ab: less memory, less exact.
Value euclidean_distance(Value a, Value b) {
  auto& net = a.builder();
  const auto squares = [&](Value x) {
    return net.reduce(ReduceOp::sum, x * x, {x.rank() - 1}, true);
  };
  const Value of_b = squares(b);
  core::Ints swapped = all_axes(of_b);
  std::swap(swapped[swapped.size() - 1], swapped[swapped.size() - 2]);
  const Value product = net.matmul(a, b, false, true);
  const Value distance = squares(a) + net.transpose(of_b, swapped) - product * 2;
  return unary(UnaryOp::sqrt, activation(ActivationOp::relu, distance));
}

/// As PyTorch: the product form for the 2-norm of more than 25 points, unless compute_mode says
/// otherwise.
Value cdist(OpContext& op) {
  auto& net = op.net();
  const Value a = op.value("x1"), b = op.value("x2");
  const double p = op.number("p");
  const std::int64_t mode = op.optional_integer("compute_mode").value_or(0);
  const bool many = a.dim(a.rank() - 2).max > 25 || b.dim(b.rank() - 2).max > 25;
  if (p == 2 && (mode == 1 || (mode == 0 && many))) return euclidean_distance(a, b);
  const Value difference = net.unsqueeze(a, {a.rank() - 1}) - net.unsqueeze(b, {b.rank() - 2});
  return vector_norm(difference, p, {difference.rank() - 1}, false);
}

Value euclidean(OpContext& op) { return euclidean_distance(op.value("x1"), op.value("x2")); }

}  // namespace

void add_linear_ops(OpTable& table) {
  table.add<linear>("aten::linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor");
  table.add<matmul>("aten::matmul(Tensor self, Tensor other) -> Tensor")
      .also("aten::linalg_matmul")
      .also("aten::vdot");
  table.add<mm>("aten::mm(Tensor self, Tensor mat2) -> Tensor").also("aten::bmm");
  table.add<mv>("aten::mv(Tensor self, Tensor vec) -> Tensor");
  table.add<dot>("aten::dot(Tensor self, Tensor tensor) -> Tensor");
  table.add<addmm>(
      "aten::addmm(Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1) -> "
      "Tensor");
  table.add<addmv>(
      "aten::addmv(Tensor self, Tensor mat, Tensor vec, *, Scalar beta=1, Scalar alpha=1) -> "
      "Tensor");
  table.add<baddbmm>(
      "aten::baddbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) "
      "-> Tensor");
  table.add<addbmm>(
      "aten::addbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) "
      "-> Tensor");
  table.add<addr>(
      "aten::addr(Tensor self, Tensor vec1, Tensor vec2, *, Scalar beta=1, Scalar alpha=1) -> "
      "Tensor");
  table.add<outer>("aten::outer(Tensor self, Tensor vec2) -> Tensor").also("aten::ger");
  table.add<chain_matmul>("aten::chain_matmul(Tensor[] matrices) -> Tensor");
  table.add<multi_dot>("aten::linalg_multi_dot(Tensor[] tensors) -> Tensor");

  table.add<einsum>("aten::einsum(str equation, Tensor[] tensors, *, int[]? path=None) -> Tensor");
  table.add<bilinear>(
      "aten::bilinear(Tensor input1, Tensor input2, Tensor weight, Tensor? bias=None) -> Tensor");
  table.add<trilinear>(
      "aten::_trilinear(Tensor i1, Tensor i2, Tensor i3, int[] expand1, int[] expand2, int[] "
      "expand3, int[] sumdim, int unroll_dim=1) -> Tensor");
  table.add<tensordot>(
      "aten::tensordot(Tensor self, Tensor other, int[] dims_self, int[] dims_other) -> Tensor");
  table.add<inner>("aten::inner(Tensor self, Tensor other) -> Tensor");
  table.add<vecdot>("aten::linalg_vecdot(Tensor x, Tensor y, *, int dim=-1) -> Tensor");
  table.add<cross>("aten::linalg_cross(Tensor self, Tensor other, *, int dim=-1) -> Tensor");

  table.add<cosine_similarity>(
      "aten::cosine_similarity(Tensor x1, Tensor x2, int dim=1, float eps=1e-08) -> Tensor");
  table.add<pairwise_distance>(
      "aten::pairwise_distance(Tensor x1, Tensor x2, float p=2., float eps=9.9999999999999995e-07, "
      "bool keepdim=False) -> Tensor");
  table
      .add<cdist>("aten::cdist(Tensor x1, Tensor x2, float p=2., int? compute_mode=None) -> Tensor")
      .also("aten::_cdist_forward");
  table.add<euclidean>("aten::_euclidean_dist(Tensor x1, Tensor x2) -> Tensor");
}

}  // namespace torch_tensorrt::compiler
