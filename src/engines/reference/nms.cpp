#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <vector>

#include "engines/reference/layers.h"

namespace torch_tensorrt::engines::reference {
namespace {

// Opposite corners, the lower one first.
using Box = std::array<float, 4>;

Box read_box(at::TensorAccessor<float, 1> row, core::BoxForm form) {
  if (form == core::BoxForm::center_size) {
    const float w = row[2] / 2;
    const float h = row[3] / 2;
    return {row[0] - w, row[1] - h, row[0] + w, row[1] + h};
  }
  return {std::min(row[0], row[2]), std::min(row[1], row[3]), std::max(row[0], row[2]),
          std::max(row[1], row[3])};
}

float area(const Box& box) { return (box[2] - box[0]) * (box[3] - box[1]); }

float intersection_over_union(const Box& a, const Box& b) {
  const float w = std::max(0.f, std::min(a[2], b[2]) - std::max(a[0], b[0]));
  const float h = std::max(0.f, std::min(a[3], b[3]) - std::max(a[1], b[1]));
  const float both = w * h;
  const float either = area(a) + area(b) - both;
  return either > 0 ? both / either : 0;
}

// Indices of the kept boxes of one class, by falling score: greedy, equal scores in index order.
std::vector<std::int64_t> keep(const std::vector<Box>& boxes, at::TensorAccessor<float, 1> scores,
                               const core::Nms& layer) {
  std::vector<std::int64_t> order;
  for (std::int64_t i = 0; i < scores.size(0); ++i) {
    if (scores[i] > static_cast<float>(layer.score_threshold)) order.push_back(i);
  }
  std::ranges::stable_sort(order, [&](auto a, auto b) { return scores[a] > scores[b]; });
  std::vector<std::int64_t> kept;
  for (const std::int64_t candidate : order) {
    if (static_cast<std::int64_t>(kept.size()) >= layer.max_per_class) break;
    const bool covered = std::ranges::any_of(kept, [&](std::int64_t other) {
      return intersection_over_union(boxes[static_cast<std::size_t>(candidate)],
                                     boxes[static_cast<std::size_t>(other)]) >
             static_cast<float>(layer.iou_threshold);
    });
    if (!covered) kept.push_back(candidate);
  }
  return kept;
}

}  // namespace

Tensors evaluate(const core::Nms& layer, const Call& call) {
  const at::Tensor boxes = call[0].to(at::kCPU, at::kFloat);
  const at::Tensor scores = call[1].to(at::kCPU, at::kFloat);
  const auto box_rows = boxes.accessor<float, 3>();
  const auto score_rows = scores.accessor<float, 3>();
  std::vector<std::int64_t> triples;
  for (std::int64_t batch = 0; batch < box_rows.size(0); ++batch) {
    std::vector<Box> decoded;
    for (std::int64_t i = 0; i < box_rows.size(1); ++i) {
      decoded.push_back(read_box(box_rows[batch][i], layer.form));
    }
    for (std::int64_t cls = 0; cls < score_rows.size(1); ++cls) {
      for (const std::int64_t box : keep(decoded, score_rows[batch][cls], layer)) {
        triples.insert(triples.end(), {batch, cls, box});
      }
    }
  }
  return {at::tensor(triples, at::kLong).reshape({-1, 3}).to(call.program().device())};
}

}  // namespace torch_tensorrt::engines::reference
