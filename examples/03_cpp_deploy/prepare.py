"""Compile a model and save what the C++ program needs: model.ts and expected.pt."""

import sys
from pathlib import Path

import torch
import torch_tensorrt
import torchvision


def main(folder: Path) -> None:
    """Write model.ts (compiled) and expected.pt (inputs, and PyTorch's outputs for them)."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    model = torchvision.models.resnet18(weights=None).eval()
    x = torch.randn(4, 3, 224, 224)
    batch = torch_tensorrt.Input(
        min_shape=(1, 3, 224, 224), opt_shape=(4, 3, 224, 224), max_shape=(8, 3, 224, 224)
    )
    compiled = torch_tensorrt.compile(torch.jit.script(model), ir="ts", inputs=[batch])
    torch.jit.save(compiled, folder / "model.ts")
    with torch.no_grad():
        torch.save(([x], [model(x)]), folder / "expected.pt")
    print(f"saved {folder / 'model.ts'} and {folder / 'expected.pt'}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
