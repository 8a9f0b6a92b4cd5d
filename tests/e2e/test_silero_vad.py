"""silero_vad.jit: state, two sample rates, control flow; 200 consecutive chunks each."""

import math

import pytest
import torch
import torch_tensorrt
from e2e.models import package_folder

CHUNKS = 200


def load() -> torch.jit.ScriptModule:
    path = package_folder("silero_vad") / "data" / "silero_vad.jit"
    module: torch.jit.ScriptModule = torch.jit.load(path, map_location="cpu")
    return module.eval()


def wave(samples: int, rate: int) -> torch.Tensor:
    """A voice's harmonics with a vowel's resonances, in syllables, with pauses and faint noise."""
    time = torch.arange(samples) / rate
    pitch = 120 + 15 * torch.sin(2 * math.pi * 0.9 * time)
    phase = 2 * math.pi * torch.cumsum(pitch.double(), 0) / rate
    voice = torch.zeros(samples)
    for k in range(1, 30):
        gain = sum(1 / (1 + ((k * pitch - formant) / 90) ** 2) for formant in (530, 1840, 2480))
        voice += (gain * torch.sin(k * phase) / k**0.5).float()
    syllables = torch.clamp(torch.sin(8 * math.pi * time) + 0.7, 0, 1)
    speaking = torch.sin(2 * math.pi * 0.5 * time) > 0
    noise = torch.randn(samples, generator=torch.Generator().manual_seed(0))
    return 0.25 * voice / voice.abs().max() * syllables * speaking + 0.001 * noise


@pytest.mark.parametrize(("rate", "samples"), [(16000, 512), (8000, 256)])
def test_same_probabilities_over_200_chunks(rate: int, samples: int) -> None:
    fast = torch_tensorrt.compile(
        load(), ir="ts", inputs=[torch_tensorrt.Input((1, samples))], engine="openvino"
    )
    assert torch_tensorrt.report(fast).engines
    eager = load()
    chunks = wave(CHUNKS * samples, rate).reshape(CHUNKS, 1, samples)
    worst = 0.0
    seen = []
    for chunk in chunks:
        expected = eager(chunk, rate)
        seen.append(expected.item())
        worst = max(worst, (fast(chunk, rate) - expected).abs().max().item())
    assert worst <= 1e-4
    assert max(seen) - min(seen) > 0.9, "the wave does not move the model's output"
