#include <array>
#include <cmath>
#include <map>

#include "core/infer.h"

namespace torch_tensorrt::core {
namespace {

struct Equation {
  std::vector<std::string> inputs;
  std::string output;
};

/// Splits "ij,jk->ik"; without "->" the output is every letter that occurs once, in order.
Equation parse_equation(const std::string& equation, const Operands& in) {
  Equation out{{""}, ""};
  const std::size_t arrow = equation.find("->");
  std::array<int, 26> uses{};
  for (const char c : equation.substr(0, arrow)) {
    in.require(c == ',' || ('a' <= c && c <= 'z'), "C1", "equation is '", equation,
               "', expected lower-case letters, ',' and '->'");
    if (c == ',') {
      out.inputs.emplace_back();
    } else {
      out.inputs.back() += c;
      ++uses.at(static_cast<std::size_t>(c - 'a'));
    }
  }
  if (arrow != std::string::npos) {
    out.output = equation.substr(arrow + 2);
  } else {
    for (std::size_t i = 0; i < uses.size(); ++i) {
      if (uses[i] == 1) out.output += static_cast<char>('a' + i);
    }
  }
  return out;
}

/// What conv and deconv have in common: x [N,C,spatial..], a static weight of x's rank, one entry
/// per spatial axis.
void check_convolution(const Operands& in, const Ints& stride, const Ints& pad_begin,
                       const Ints& pad_end, const Ints& dilation, std::int64_t groups) {
  in.require_rank(0, 3, 5, "C1");
  in.require_rank(1, in[0].rank(), "C1");
  in.require_float(0, "C2");
  in.require_dtype(1, in[0].dtype, "C2");
  if (in.has(2)) in.require_dtype(2, in[0].dtype, "C2");
  const std::size_t spatial = in.dims(0).size() - 2;
  in.require_list(stride, spatial, 1, "stride", "C4");
  in.require_list(pad_begin, spatial, 0, "pad_begin", "C4");
  in.require_list(pad_end, spatial, 0, "pad_end", "C4");
  in.require_list(dilation, spatial, 1, "dilation", "C4");
  in.require(1 <= groups && groups <= kUnbounded, "C5", "groups is ", groups,
             ", expected at least 1");
  in.require(in[1].is_static(), "C6", "weight is ", in[1], ", expected static dimensions");
}

void check_bias(const Operands& in, std::int64_t channels, std::string_view code) {
  if (!in.has(2)) return;
  in.require_rank(2, 1, code);
  in.require_dim(2, 0, channels, code, "one per output channel");
}

Extent spatial_result(const Operands& in, std::size_t axis, const Extent& size) {
  in.require(size.dynamic || size.min >= 1, "C8", "result has size ", size, " at axis ", axis,
             ", expected at least 1 (x is ", in[0], ", weight is ", in[1], ")");
  return as_dim(size);
}

}  // namespace

// C1 floating, one dtype · C2 equal rank >= 2 · C3 batch dimensions equal or 1 · C4 inner
// dimensions equal
Results infer(const MatMul& layer, const Operands& in) {
  in.require_float(0, "C1");
  in.require_dtype(1, in[0].dtype, "C1");
  in.require_rank(0, 2, kMaxRank, "C2");
  in.require_rank(1, in[0].rank(), "C2");
  const std::size_t batch = in.dims(0).size() - 2;
  const auto leading = [&](int i) {
    return Dims(in.dims(i).begin(), in.dims(i).begin() + static_cast<long>(batch));
  };
  Dims dims = in.broadcast_dims(leading(0), leading(1), "C3");
  const Extent inner_a = in.dims(0)[batch + (layer.transpose_a ? 0 : 1)];
  const Extent inner_b = in.dims(1)[batch + (layer.transpose_b ? 1 : 0)];
  in.require(may_equal(inner_a, inner_b), "C4", "inner dimensions are ", inner_a, " and ", inner_b,
             ", expected equal ones (a is ", in[0], ", b is ", in[1], ")");
  dims.push_back(in.dims(0)[batch + (layer.transpose_a ? 1 : 0)]);
  dims.push_back(in.dims(1)[batch + (layer.transpose_b ? 0 : 1)]);
  return one(in[0].dtype, std::move(dims));
}

// C1 lower-case letters, one term per operand, output letters unique and known · C2 floating, one
// dtype C3 a letter per dimension · C4 dimensions of one letter equal or 1
Results infer(const Einsum& layer, const Operands& in) {
  const Equation equation = parse_equation(layer.equation, in);
  in.require(static_cast<int>(equation.inputs.size()) == in.count() && in.count() > 0, "C1",
             "equation '", layer.equation, "' has ", equation.inputs.size(), " terms, expected ",
             in.count(), " (one per operand)");
  std::map<char, Extent> sizes;
  for (int i = 0; i < in.count(); ++i) {
    in.require_float(i, "C2");
    in.require_dtype(i, in[0].dtype, "C2");
    const std::string& term = equation.inputs[static_cast<std::size_t>(i)];
    in.require_rank(i, static_cast<int>(term.size()), "C3");
    for (std::size_t axis = 0; axis < term.size(); ++axis) {
      const auto [known, added] = sizes.emplace(term[axis], in.dims(i)[axis]);
      if (added) continue;
      const std::optional<Extent> both = broadcast(known->second, in.dims(i)[axis]);
      in.require(both.has_value(), "C4", "'", term[axis], "' is ", known->second, " and ",
                 in.dims(i)[axis], ", expected equal dimensions");
      known->second = *both;
    }
  }
  Dims dims;
  for (std::size_t i = 0; i < equation.output.size(); ++i) {
    const char letter = equation.output[i];
    in.require(sizes.count(letter) == 1 && equation.output.find(letter) == i, "C1", "output '",
               equation.output, "' has '", letter, "', expected unique letters of the operands");
    dims.push_back(sizes.at(letter));
  }
  return one(in[0].dtype, std::move(dims));
}

// C1 x [N,C,spatial..] with 1 to 3 spatial axes, weight of equal rank · C2 floating, one dtype · C3
// weight has C/groups input channels · C4 one stride >= 1, pad >= 0 and dilation >= 1 per spatial
// axis · C5 groups >= 1, divides the output channels · C6 weight static · C7 bias [O] · C8 the
// result is not empty
Results infer(const Conv& layer, const Operands& in) {
  check_convolution(in, layer.stride, layer.pad_begin, layer.pad_end, layer.dilation, layer.groups);
  const Dims& x = in.dims(0);
  const Dims& w = in.dims(1);
  const Extent channels = mul(w[1], layer.groups);
  in.require(may_equal(x[1], channels), "C3", "weight has ", w[1], " input channels, expected ",
             x[1].dynamic || x[1].min % layer.groups != 0 ? text("channels / groups")
                                                          : std::to_string(x[1].min / layer.groups),
             " (x has ", x[1], ", groups ", layer.groups, ")");
  in.require(w[0].min % layer.groups == 0, "C5", "weight has ", w[0],
             " output channels, expected a multiple of ", layer.groups, " groups");
  check_bias(in, w[0].min, "C7");
  Dims dims = {x[0], w[0]};
  for (std::size_t i = 0; i + 2 < x.size(); ++i) {
    const std::int64_t kernel = saturating_mul(layer.dilation[i], w[i + 2].min - 1) + 1;
    const Extent size = pointwise(
        [&](std::int64_t d) {
          const std::int64_t room = d + layer.pad_begin[i] + layer.pad_end[i] - kernel;
          return room < 0 ? std::int64_t{0} : room / layer.stride[i] + 1;
        },
        x[i + 2]);
    dims.push_back(spatial_result(in, i + 2, size));
  }
  return one(in[0].dtype, std::move(dims));
}

// As conv; C3 weight [C,O/groups,k..] has x's channels, which groups divides · C9 output_padding >=
// 0
Results infer(const Deconv& layer, const Operands& in) {
  check_convolution(in, layer.stride, layer.pad_begin, layer.pad_end, layer.dilation, layer.groups);
  const Dims& x = in.dims(0);
  const Dims& w = in.dims(1);
  in.require_list(layer.output_padding, x.size() - 2, 0, "output_padding", "C9");
  in.require(may_equal(x[1], w[0]), "C3", "weight has ", w[0], " input channels, expected ", x[1],
             " (x is ", in[0], ")");
  in.require(w[0].min % layer.groups == 0, "C3", "weight has ", w[0],
             " input channels, expected a multiple of ", layer.groups, " groups");
  const std::int64_t channels = saturating_mul(w[1].min, layer.groups);
  check_bias(in, channels, "C7");
  Dims dims = {x[0], channels};
  for (std::size_t i = 0; i + 2 < x.size(); ++i) {
    const std::int64_t kernel = saturating_mul(layer.dilation[i], w[i + 2].min - 1);
    const Extent size = pointwise(
        [&](std::int64_t d) {
          const std::int64_t full = saturating_add(saturating_mul(d - 1, layer.stride[i]), kernel);
          return saturating_add(
              full, 1 - layer.pad_begin[i] - layer.pad_end[i] + layer.output_padding[i]);
        },
        x[i + 2]);
    dims.push_back(spatial_result(in, i + 2, size));
  }
  return one(in[0].dtype, std::move(dims));
}

// C1 floating, one dtype · C2 rank 4, equal batch · C3 q and k have one depth D, k and v one length
// T and Hkv heads C4 H is a multiple of Hkv · C5 mask: rank 4, bool or q's dtype, broadcasts into
// [B,H,S,T] · C6 mask excludes causal C7 scale is a finite number
Results infer(const Attention& layer, const Operands& in) {
  for (int i = 0; i < 3; ++i) {
    in.require_float(i, "C1");
    in.require_dtype(i, in[0].dtype, "C1");
    in.require_rank(i, 4, "C2");
    in.require_dim(i, 0, in.dim(0, 0), "C2", "q's batch");
  }
  in.require_dim(1, 3, in.dim(0, 3), "C3", "q's depth");
  in.require_dim(2, 1, in.dim(1, 1), "C3", "k's heads");
  in.require_dim(2, 2, in.dim(1, 2), "C3", "k's length");
  const Extent heads = in.dim(0, 1), shared = in.dim(1, 1);
  const bool known = heads.is_static() && shared.is_static();
  in.require(!known || (shared.min > 0 && heads.min % shared.min == 0), "C4", "q has ", heads,
             " heads, expected a multiple of k's ", shared);
  in.require(std::isfinite(layer.scale), "C7", "scale is ", layer.scale,
             ", expected a finite number");
  if (in.has(3)) {
    in.require(layer.causal == Causal::none, "C6",
               "a mask and causal are both given, expected one of them");
    in.require(in[3].dtype == DType::b || in[3].dtype == in[0].dtype, "C5", "mask is ", in[3].dtype,
               ", expected b or ", in[0].dtype);
    in.require_rank(3, 4, "C5");
    const Dims scores = {in.dim(0, 0), heads, in.dim(0, 2), in.dim(1, 2)};
    for (std::size_t i = 0; i < 4; ++i) {
      in.require(may_equal(in.dims(3)[i], 1) || may_equal(in.dims(3)[i], scores[i]), "C5",
                 "mask is ", in[3], ", which does not broadcast into [", join(scores), "]");
    }
  }
  return one(in[0].dtype, {unify(in.dim(0, 0), in.dim(1, 0)), heads, in.dim(0, 2), in.dim(2, 3)});
}

// C1 floating, one dtype · C2 x [B,H,S,D] · C3 rotary_dim even, at most D · C4 cos and sin
// [B,S,r/2], or [max,r/2] with positions · C5 positions i32 or i64 [B,S]
Results infer(const Rope& layer, const Operands& in) {
  in.require_float(0, "C1");
  in.require_rank(0, 4, "C2");
  const Extent depth = in.dim(0, 3);
  const Extent rotary = layer.rotary_dim == 0 ? depth : Extent(layer.rotary_dim);
  in.require(rotary.dynamic || (rotary.min >= 2 && rotary.min % 2 == 0 && rotary.min <= depth.max),
             "C3", "rotary_dim is ", layer.rotary_dim,
             ", expected an even number up to D, which is ", depth);
  const bool indexed = in.has(3);
  for (const int i : {1, 2}) {
    in.require_dtype(i, in[0].dtype, "C1");
    in.require_rank(i, indexed ? 2 : 3, "C4");
    const Extent half = pointwise([](std::int64_t d) { return d / 2; }, rotary);
    in.require_dim(i, indexed ? 1 : 2, half, "C4", "half of rotary_dim");
    if (indexed) continue;
    in.require_dim(i, 0, in.dim(0, 0), "C4", "x's batch");
    in.require_dim(i, 1, in.dim(0, 2), "C4", "x's length");
  }
  if (indexed) {
    in.require_int_index(3, "C5");
    in.require_rank(3, 2, "C5");
    in.require_dim(3, 0, in.dim(0, 0), "C5", "x's batch");
    in.require_dim(3, 1, in.dim(0, 2), "C5", "x's length");
  }
  return one(in[0]);
}

// C1 floating, one dtype · C2 cache [B,H,T,D], update [B,H,S,D], S <= T · C3 index i64 [B]
Results infer(const KvUpdate& /*layer*/, const Operands& in) {
  in.require_float(0, "C1");
  in.require_dtype(1, in[0].dtype, "C1");
  in.require_rank(0, 4, "C2");
  in.require_rank(1, 4, "C2");
  for (const int axis : {0, 1, 3}) in.require_dim(1, axis, in.dim(0, axis), "C2", "as in cache");
  in.require(in.dim(1, 2).min <= in.dim(0, 2).max, "C2", "update has ", in.dim(1, 2),
             " entries at axis 2, expected at most ", in.dim(0, 2));
  in.require_dtype(2, DType::i64, "C3");
  in.require_rank(2, 1, "C3");
  in.require_dim(2, 0, in.dim(0, 0), "C3", "cache's batch");
  return one(in[0]);
}

}  // namespace torch_tensorrt::core
