"""The FX frontend's stages one by one: trace, passes, split, convert, execute.

A small audio classifier takes its features from a Fourier transform, which no engine here takes.
Prints the traced graph before and behind the passes, which node becomes part of an engine and why
others do not, the engines, and how far the result is from PyTorch's.
"""

from __future__ import annotations

import torch
import torch_tensorrt
from torch import nn
from torch_tensorrt import fx
from torch_tensorrt.fx.passes import PassManager, common_subexpression_elimination, fold_conv_bn
from torch_tensorrt.fx.tools.statistics import collect
from torch_tensorrt.fx.tools.trt_splitter import TRTSplitter

FRAME, CLASSES, LARGEST_BATCH = 64, 5, 16


class Classifier(nn.Module):
    """Samples [batch, time] to logits [batch, CLASSES]."""

    def __init__(self) -> None:
        super().__init__()
        self.emphasis = nn.Conv1d(1, 1, 3, padding=1)
        self.features = nn.Sequential(
            nn.Conv1d(FRAME // 2 + 1, 32, 3, padding=1), nn.BatchNorm1d(32), nn.ReLU()
        )
        self.head = nn.Linear(64, CLASSES)

    def forward(self, samples: torch.Tensor) -> torch.Tensor:  # noqa: D102
        emphasized = self.emphasis(samples.unsqueeze(1)).squeeze(1)
        frames = emphasized.view(samples.size(0), -1, FRAME)
        spectrum = torch.fft.rfft(frames).abs().transpose(1, 2)
        hidden = self.features(torch.log1p(spectrum))
        pooled = torch.cat([hidden.mean(-1), hidden.amax(-1)], -1)
        return self.head(pooled)


def heading(text: str) -> None:
    print(f"\n{text}\n{'-' * len(text)}")


@torch.no_grad()
def main() -> None:
    torch.manual_seed(0)
    model = Classifier().eval()
    example = torch.randn(4, 8 * FRAME)
    specs = fx.InputTensorSpec.from_tensors_with_dynamic_batch_size(
        [example], (1, 4, LARGEST_BATCH)
    )

    heading("1. trace, and passes over the trace")
    traced = fx.trace(model, specs)
    print(f"{len(traced.graph.nodes)} nodes as the model was written")
    passes = PassManager([fold_conv_bn, common_subexpression_elimination])
    traced = passes.run_checked(traced, [example], atol=1e-4, rtol=1e-4)
    print(f"{len(traced.graph.nodes)} nodes with the batch norm in its convolution")

    heading("   values of its nodes")
    print(collect(traced, [torch.randn(4, 8 * FRAME) for _ in range(3)]).to_text())

    heading("2. split")
    splitter = TRTSplitter(traced, specs)
    print(splitter.node_support_preview())
    print()
    print(splitter.split_preview())

    heading("3. convert, and 4. execute")
    split = splitter.generate_split_results()
    module = split.split_module
    for name, _ in list(module.named_children()):
        if name.startswith(split.non_acc_submodule_prefix):
            continue
        interpreter = fx.TRTInterpreter(module.get_submodule(name), split.submodule_specs[name])
        result = interpreter.run(lower_precision=fx.LowerPrecision.FP32)
        engine = fx.TRTModule(result.engine, result.input_names, result.output_names)
        print(f"{name}({', '.join(result.input_names)}):")
        print("  " + engine.get_layer_info().rstrip().replace("\n", "\n  "))
        module.add_module(name, engine)

    heading("   all of it in one step")
    setting = fx.LowerSetting(min_acc_module_size=1, max_batch_size=LARGEST_BATCH)
    at_once = fx.Lowerer.create(setting)(model, [example])
    print(torch_tensorrt.report(at_once).summary)

    print("\nResult")
    for label, fast in (("stage by stage", module), ("in one step", at_once)):
        worst = 0.0
        for batch in (1, 4, LARGEST_BATCH):
            samples = torch.randn(batch, 8 * FRAME)
            worst = max(worst, (fast(samples) - model(samples)).abs().max().item())
        print(f"  {label:<16} largest difference {worst:.1e} for batches of 1 to {LARGEST_BATCH}")


if __name__ == "__main__":
    main()
