#include "core/infer.h"

#include <limits>
#include <set>

namespace torch_tensorrt::core {
namespace {

constexpr std::int64_t kHighest = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();

template <std::size_t... I>
std::optional<Layer> find_kind(std::string_view kind, std::index_sequence<I...> /*kinds*/) {
  std::optional<Layer> out;
  ((std::variant_alternative_t<I, Layer>::kind == kind ? void(out.emplace(std::in_place_index<I>))
                                                       : void()),
   ...);
  return out;
}

bool collapsed(const Extent& e) { return e.dynamic && e.min == e.max; }

}  // namespace

std::int64_t saturating_add(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return a > 0 ? kHighest : kLowest;
  return sum;
}

std::int64_t saturating_mul(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return (a > 0) == (b > 0) ? kHighest : kLowest;
  return product;
}

Extent add(const Extent& a, const Extent& b) { return pointwise(saturating_add, a, b); }
Extent mul(const Extent& a, const Extent& b) { return pointwise(saturating_mul, a, b); }

Extent product(const Dims& dims, std::size_t first, std::size_t last) {
  Extent out = 1;
  for (std::size_t i = first; i < last; ++i) out = mul(out, dims[i]);
  return out;
}

Extent as_dim(const Extent& extent) {
  if (extent.is_static()) return extent;
  const auto clamped = [](std::int64_t v) { return std::clamp<std::int64_t>(v, 0, kMaxDim); };
  const std::int64_t a = clamped(extent.min), b = clamped(extent.opt), c = clamped(extent.max);
  return Extent::range(std::min({a, b, c}), std::clamp(b, std::min(a, c), std::max(a, c)),
                       std::max({a, b, c}));
}

bool is_dim(const Extent& e) {
  const bool ordered = 0 <= e.min && e.min <= e.opt && e.opt <= e.max && e.max <= kMaxDim;
  return ordered && (e.dynamic || e.min == e.max);
}

bool may_equal(const Extent& a, const Extent& b) {
  if (a.is_static() && b.is_static()) return a.min == b.min;
  return collapsed(a) || collapsed(b) || (a.min <= b.max && b.min <= a.max);
}

Extent unify(const Extent& a, const Extent& b) { return a.is_static() ? a : b.is_static() ? b : a; }

std::optional<Extent> broadcast(const Extent& a, const Extent& b) {
  if (a.is_static() && a.min == 1) return b;
  if (b.is_static() && b.min == 1) return a;
  const bool a_may_be_one = a.dynamic && may_equal(a, 1);
  const bool b_may_be_one = b.dynamic && may_equal(b, 1);
  if (!may_equal(a, b) && !a_may_be_one && !b_may_be_one) return std::nullopt;
  if (a.is_static()) return a;
  if (b.is_static()) return b;
  return as_dim(pointwise([](std::int64_t x, std::int64_t y) { return x == 1 ? y : x; }, a, b));
}

std::string Operands::name(int i) const {
  std::string_view rest = names_;
  std::string_view word;
  for (int k = 0; k <= i && !rest.empty(); ++k) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    word = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (word.ends_with('*')) return text(word.substr(0, word.size() - 1), "[", i - k, "]");
  }
  if (word.ends_with('?')) word.remove_suffix(1);
  return std::string(word);
}

void Operands::require_float(int i, std::string_view code) const {
  require(is_float((*this)[i].dtype), code, name(i), " is ", (*this)[i].dtype,
          ", expected a floating type");
}

void Operands::require_num(int i, std::string_view code) const {
  require(is_num((*this)[i].dtype), code, name(i), " is ", (*this)[i].dtype,
          ", expected a floating or integer type");
}

void Operands::require_int_index(int i, std::string_view code) const {
  const DType dtype = (*this)[i].dtype;
  require(dtype == DType::i64 || dtype == DType::i32, code, name(i), " is ", dtype,
          ", expected i32 or i64");
}

void Operands::require_dtype(int i, DType dtype, std::string_view code) const {
  require((*this)[i].dtype == dtype, code, name(i), " is ", (*this)[i].dtype, ", expected ", dtype);
}

void Operands::require_rank(int i, int rank, std::string_view code) const {
  require((*this)[i].rank() == rank, code, name(i), " has rank ", (*this)[i].rank(), ", expected ",
          rank, " (", name(i), " is ", (*this)[i], ")");
}

void Operands::require_rank(int i, int least, int most, std::string_view code) const {
  const int rank = (*this)[i].rank();
  require(least <= rank && rank <= most, code, name(i), " has rank ", rank, ", expected ", least,
          "..", most, " (", name(i), " is ", (*this)[i], ")");
}

void Operands::require_axis(std::int64_t axis, int rank, std::string_view code) const {
  require(rank > 0, code, "axis is ", axis, ", expected an operand with axes");
  require(0 <= axis && axis < rank, code, "axis is ", axis, ", expected 0..", rank - 1);
}

void Operands::require_axes(const Ints& axes, int rank, std::string_view code) const {
  std::set<std::int64_t> seen;
  for (const std::int64_t axis : axes) {
    require_axis(axis, rank, code);
    require(seen.insert(axis).second, code, "axis ", axis, " occurs twice in [", join(axes),
            "], expected unique axes");
  }
}

void Operands::require_dim(int i, std::int64_t axis, const Extent& expected, std::string_view code,
                           std::string_view why) const {
  require(may_equal(dim(i, axis), expected), code, name(i), " has ", dim(i, axis), " at axis ",
          axis, ", expected ", expected, " (", why, "; ", name(i), " is ", (*this)[i], ")");
}

void Operands::require_list(const Ints& list, std::size_t length, std::int64_t least,
                            std::string_view attribute, std::string_view code) const {
  require(list.size() == length, code, attribute, " has ", list.size(), " entries, expected ",
          length);
  for (const std::int64_t v : list) {
    require(least <= v && v <= kUnbounded, code, attribute, " is [", join(list),
            "], expected entries of at least ", least);
  }
}

Dims Operands::broadcast_dims(const Dims& a, const Dims& b, std::string_view code) const {
  require(a.size() == b.size(), code, "ranks are ", a.size(), " and ", b.size(),
          ", expected equal ranks");
  Dims out;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const std::optional<Extent> dim = broadcast(a[i], b[i]);
    require(dim.has_value(), code, "dimensions [", join(a), "] and [", join(b),
            "] do not broadcast: ", a[i], " meets ", b[i], " at axis ", i);
    out.push_back(*dim);
  }
  return out;
}

Content Operands::host_vector(int i, std::string_view code) const {
  const TensorType& type = (*this)[i];
  require(type.dtype == DType::i64 && type.rank() == 1 && type.is_static(), code, name(i), " is ",
          type, ", expected an i64 vector of static length");
  const std::int64_t length = type.dims[0].min;
  require(length <= kMaxRank, code, name(i), " has ", length, " elements, expected at most ",
          kMaxRank);
  return content(i) != nullptr ? *content(i)
                               : Content(static_cast<std::size_t>(length), unbounded());
}

Extent Operands::host_scalar(int i, std::string_view code) const {
  require((*this)[i].dtype == DType::i64 && (*this)[i].rank() == 0, code, name(i), " is ",
          (*this)[i], ", expected an i64 scalar");
  return content(i) != nullptr ? content(i)->front() : unbounded();
}

Dims Operands::host_dims(int i, std::string_view code) const {
  Dims dims;
  for (const Extent& e : host_vector(i, code)) {
    require(e.dynamic || (0 <= e.min && e.min <= kMaxDim), code, name(i), " has a size of ", e,
            ", expected 0..2^40");
    dims.push_back(as_dim(e));
  }
  return dims;
}

Signature Signature::of(std::string_view names) {
  Signature out;
  while (!names.empty()) {
    const std::size_t end = std::min(names.find(' '), names.size());
    const char last = names[end - 1];
    out.variadic = last == '*';
    if (last == '?') ++out.optional;
    if (last != '?' && last != '*') ++out.required;
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return out;
}

std::string_view operand_names(const Layer& layer) {
  return std::visit([](const auto& l) { return l.inputs; }, layer);
}

std::string_view result_names(const Layer& layer) {
  return std::visit([](const auto& l) { return l.outputs; }, layer);
}

std::optional<Layer> layer_of_kind(std::string_view kind) {
  return find_kind(kind, std::make_index_sequence<std::variant_size_v<Layer>>());
}

}  // namespace torch_tensorrt::core
