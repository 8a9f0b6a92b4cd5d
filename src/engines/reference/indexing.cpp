#include <ATen/ATen.h>

#include <functional>

#include "core/error.h"
#include "engines/reference/layers.h"

namespace torch_tensorrt::engines::reference {
namespace {

using core::ScatterReduce;
using Pairwise = std::function<at::Tensor(const at::Tensor& x, const at::Tensor& indices)>;

// f on every pair of batch elements, `dims` deep.
at::Tensor per_batch(const at::Tensor& x, const at::Tensor& indices, std::int64_t dims,
                     const Pairwise& f) {
  if (dims == 0) return f(x, indices);
  Tensors parts;
  for (std::int64_t b = 0; b < x.size(0); ++b) {
    parts.push_back(per_batch(x[b], indices[b], dims - 1, f));
  }
  return at::stack(parts);
}

at::Tensor gather(const at::Tensor& x, const at::Tensor& indices, std::int64_t axis) {
  core::Ints dims(x.sizes().begin(), x.sizes().begin() + axis);
  dims.insert(dims.end(), indices.sizes().begin(), indices.sizes().end());
  dims.insert(dims.end(), x.sizes().begin() + axis + 1, x.sizes().end());
  return x.index_select(axis, indices.flatten()).reshape(dims);
}

// Rows of the first `depth` dimensions of x, numbered in row-major order, that the index tuples
// name.
at::Tensor row_numbers(const at::Tensor& x, const at::Tensor& indices) {
  const std::int64_t depth = indices.size(-1);
  const at::Tensor tuples = indices.to(at::kLong).reshape({-1, depth});
  at::Tensor rows = at::zeros({tuples.size(0)}, tuples.options());
  for (std::int64_t i = 0; i < depth; ++i) rows = rows * x.size(i) + tuples.select(1, i);
  return rows;
}

at::Tensor gather_nd(const at::Tensor& x, const at::Tensor& indices) {
  const std::int64_t depth = indices.size(-1);
  core::Ints dims(indices.sizes().begin(), indices.sizes().end() - 1);
  dims.insert(dims.end(), x.sizes().begin() + depth, x.sizes().end());
  core::Ints rows{-1};
  rows.insert(rows.end(), x.sizes().begin() + depth, x.sizes().end());
  return x.reshape(rows).index_select(0, row_numbers(x, indices)).reshape(dims);
}

at::Tensor scatter(const at::Tensor& x, std::int64_t axis, const at::Tensor& indices,
                   const at::Tensor& updates, ScatterReduce reduction) {
  const at::Tensor at_index = indices.to(at::kLong);
  switch (reduction) {
    case ScatterReduce::none:
      return at::scatter(x, axis, at_index, updates);
    case ScatterReduce::sum:
      return at::scatter_reduce(x, axis, at_index, updates, "sum");
    case ScatterReduce::prod:
      return at::scatter_reduce(x, axis, at_index, updates, "prod");
    case ScatterReduce::max:
      return at::scatter_reduce(x, axis, at_index, updates, "amax");
    case ScatterReduce::min:
      return at::scatter_reduce(x, axis, at_index, updates, "amin");
    case ScatterReduce::mean:
      return at::scatter_reduce(x, axis, at_index, updates, "mean");
  }
  throw core::internal_error("reference: scatter reduction ", static_cast<int>(reduction),
                             " is unknown");
}

}  // namespace

Tensors evaluate(const core::Gather& layer, const Call& call) {
  const std::int64_t batch = layer.batch_dims;
  return {per_batch(call[0], call[1], batch, [&](const at::Tensor& x, const at::Tensor& indices) {
    return gather(x, indices, layer.axis - batch);
  })};
}

Tensors evaluate(const core::GatherElements& layer, const Call& call) {
  return {at::gather(call[0], layer.axis, call[1].to(at::kLong))};
}

Tensors evaluate(const core::GatherNd& layer, const Call& call) {
  return {per_batch(call[0], call[1], layer.batch_dims, gather_nd)};
}

Tensors evaluate(const core::ScatterElements& layer, const Call& call) {
  return {scatter(call[0], layer.axis, call[1], call[2], layer.reduction)};
}

// As a scatter of whole rows: x and updates seen as [rows, row].
Tensors evaluate(const core::ScatterNd& layer, const Call& call) {
  const at::Tensor& x = call[0];
  const std::int64_t depth = call[1].size(-1);
  const std::int64_t row = c10::multiply_integers(x.sizes().begin() + depth, x.sizes().end());
  const std::int64_t rows = c10::multiply_integers(x.sizes().begin(), x.sizes().begin() + depth);
  const at::Tensor numbers = row_numbers(x, call[1]).unsqueeze(1);
  const at::Tensor result =
      scatter(x.reshape({rows, row}), 0, numbers.expand({numbers.size(0), row}),
              call[2].reshape({numbers.size(0), row}), layer.reduction);
  return {result.reshape(x.sizes())};
}

Tensors evaluate(const core::OneHot& layer, const Call& call) {
  core::Ints dims(static_cast<std::size_t>(call[0].dim() + 1), 1);
  dims[static_cast<std::size_t>(layer.axis)] = layer.depth;
  const at::Tensor classes = at::arange(layer.depth, call[0].options()).reshape(dims);
  return {at::where(call[0].unsqueeze(layer.axis) == classes, call[1], call[2])};
}

Tensors evaluate(const core::NonZero&, const Call& call) { return {at::nonzero(call[0]).t()}; }

}  // namespace torch_tensorrt::engines::reference
