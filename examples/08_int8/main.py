"""all-MiniLM-L6-v2 in eight bits: calibrated with torchao, compiled once for all lengths.

Prints how long one call takes in eager PyTorch, compiled in float32 and compiled in int8, the sizes
of the files, and how near the embeddings of other sentences stay to those of float32.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "01_sentence_embeddings"))

import main as embeddings
import torch
import torch_tensorrt
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e
from torchao.quantization.pt2e.quantizer import x86_inductor_quantizer as x86

CALIBRATION = [
    "The train to the coast leaves at seven in the morning.",
    "Please send me the invoice for last month.",
    "Photosynthesis turns light, water and carbon dioxide into sugar and oxygen.",
    "He repaired the old clock and it has kept good time ever since.",
    "Why does my phone get warm while it is charging?",
    "The recipe needs two eggs, a cup of flour and a pinch of salt.",
]


@torch.no_grad()
def main() -> None:
    warnings.filterwarnings("ignore")
    model, tokenizer = embeddings.load_model()
    model.encoder.pooler = None  # nothing reads it

    def tokens(sentences: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
        batch = tokenizer(sentences, padding=True, return_tensors="pt")
        return batch["input_ids"], batch["attention_mask"]

    shapes = {0: torch.export.Dim("batch", min=1, max=32), 1: torch.export.Dim("n", min=2, max=256)}
    example = tokens(CALIBRATION)

    def exported(module: torch.nn.Module, strict: bool) -> torch.export.ExportedProgram:
        return torch.export.export(module, example, dynamic_shapes=(shapes, shapes), strict=strict)

    program = exported(model, strict=True)  # strict: the quantizer reads what only it notes
    where = x86.X86InductorQuantizer()
    where.set_global(x86.get_default_x86_inductor_quantization_config())
    observed = prepare_pt2e(program.module(), where)
    observed(*example)
    eight_bits = torch_tensorrt.dynamo.compile(exported(convert_pt2e(observed), strict=False))
    floats = torch_tensorrt.dynamo.compile(program)

    print(torch_tensorrt.report(eight_bits).summary)

    inputs = tokens(embeddings.SENTENCES)
    cosine = (eight_bits(*inputs) * model(*inputs)).sum(1).min().item()

    print("\nResult")
    one = tuple(t[:1].contiguous() for t in inputs)
    for label, tensors in (("1 sentence", one), (f"{len(inputs[0])} sentences", inputs)):
        eager, f32, i8 = embeddings.milliseconds(model, floats, eight_bits, inputs=tensors)
        print(f"  {label:<20} eager {eager:6.2f} ms   float32 {f32:6.2f} ms   int8 {i8:6.2f} ms")
    with tempfile.TemporaryDirectory() as folder:
        sizes = []
        for module in (floats, eight_bits):
            file = Path(folder) / "model.pt2"
            torch_tensorrt.save(module, file)
            sizes.append(file.stat().st_size / 1e6)
    print(f"  file                 float32 {sizes[0]:.0f} MB   int8 {sizes[1]:.0f} MB")
    print(f"  smallest cosine      {cosine:.4f} between embeddings in int8 and in float32")


if __name__ == "__main__":
    main()
