#pragma once

// What each layer kind computes: one function per kind, written with as few ATen calls as it takes.
// A kind without its function is a link error. Files: the family that core/layers.h lists the kind
// in.

#include "core/layers.h"
#include "engines/reference/program.h"
#include "engines/reference/tensors.h"

namespace torch_tensorrt::engines::reference {

Tensors evaluate(const core::Input& layer, const Call& call);
Tensors evaluate(const core::Constant& layer, const Call& call);
Tensors evaluate(const core::ShapeOf& layer, const Call& call);
Tensors evaluate(const core::Range& layer, const Call& call);
Tensors evaluate(const core::Random& layer, const Call& call);

Tensors evaluate(const core::Unary& layer, const Call& call);
Tensors evaluate(const core::Activation& layer, const Call& call);
Tensors evaluate(const core::PRelu& layer, const Call& call);
Tensors evaluate(const core::Binary& layer, const Call& call);
Tensors evaluate(const core::Compare& layer, const Call& call);
Tensors evaluate(const core::Logical& layer, const Call& call);
Tensors evaluate(const core::Select& layer, const Call& call);
Tensors evaluate(const core::Cast& layer, const Call& call);
Tensors evaluate(const core::Identity& layer, const Call& call);

Tensors evaluate(const core::Reduce& layer, const Call& call);
Tensors evaluate(const core::Softmax& layer, const Call& call);
Tensors evaluate(const core::LogSoftmax& layer, const Call& call);
Tensors evaluate(const core::TopK& layer, const Call& call);
Tensors evaluate(const core::CumSum& layer, const Call& call);

Tensors evaluate(const core::MatMul& layer, const Call& call);
Tensors evaluate(const core::Einsum& layer, const Call& call);
Tensors evaluate(const core::Conv& layer, const Call& call);
Tensors evaluate(const core::Deconv& layer, const Call& call);
Tensors evaluate(const core::Attention& layer, const Call& call);
Tensors evaluate(const core::Rope& layer, const Call& call);
Tensors evaluate(const core::KvUpdate& layer, const Call& call);

Tensors evaluate(const core::Lstm& layer, const Call& call);
Tensors evaluate(const core::Gru& layer, const Call& call);
Tensors evaluate(const core::Rnn& layer, const Call& call);

Tensors evaluate(const core::MaxPool& layer, const Call& call);
Tensors evaluate(const core::AvgPool& layer, const Call& call);
Tensors evaluate(const core::AdaptiveAvgPool& layer, const Call& call);
Tensors evaluate(const core::Resize& layer, const Call& call);
Tensors evaluate(const core::GridSample& layer, const Call& call);
Tensors evaluate(const core::Lrn& layer, const Call& call);

Tensors evaluate(const core::BatchNorm& layer, const Call& call);
Tensors evaluate(const core::LayerNorm& layer, const Call& call);
Tensors evaluate(const core::RmsNorm& layer, const Call& call);
Tensors evaluate(const core::GroupNorm& layer, const Call& call);
Tensors evaluate(const core::InstanceNorm& layer, const Call& call);

Tensors evaluate(const core::Reshape& layer, const Call& call);
Tensors evaluate(const core::Transpose& layer, const Call& call);
Tensors evaluate(const core::Squeeze& layer, const Call& call);
Tensors evaluate(const core::Unsqueeze& layer, const Call& call);
Tensors evaluate(const core::Broadcast& layer, const Call& call);
Tensors evaluate(const core::Concat& layer, const Call& call);
Tensors evaluate(const core::Split& layer, const Call& call);
Tensors evaluate(const core::Slice& layer, const Call& call);
Tensors evaluate(const core::Pad& layer, const Call& call);
Tensors evaluate(const core::Tile& layer, const Call& call);
Tensors evaluate(const core::Flip& layer, const Call& call);
Tensors evaluate(const core::Roll& layer, const Call& call);
Tensors evaluate(const core::ReverseSequence& layer, const Call& call);
Tensors evaluate(const core::DepthToSpace& layer, const Call& call);
Tensors evaluate(const core::SpaceToDepth& layer, const Call& call);

Tensors evaluate(const core::Gather& layer, const Call& call);
Tensors evaluate(const core::GatherElements& layer, const Call& call);
Tensors evaluate(const core::GatherNd& layer, const Call& call);
Tensors evaluate(const core::ScatterElements& layer, const Call& call);
Tensors evaluate(const core::ScatterNd& layer, const Call& call);
Tensors evaluate(const core::OneHot& layer, const Call& call);
Tensors evaluate(const core::NonZero& layer, const Call& call);
Tensors evaluate(const core::Nms& layer, const Call& call);

Tensors evaluate(const core::Quantize& layer, const Call& call);
Tensors evaluate(const core::Dequantize& layer, const Call& call);
Tensors evaluate(const core::Loop& layer, const Call& call);
Tensors evaluate(const core::If& layer, const Call& call);
Tensors evaluate(const core::Assert& layer, const Call& call);
Tensors evaluate(const core::Plugin& layer, const Call& call);

}  // namespace torch_tensorrt::engines::reference
