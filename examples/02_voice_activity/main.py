"""Voice activity: silero_vad.jit, compiled by the command line program, on a speech-like wave.

The wave is synthetic: harmonics of a voice's pitch, shaped by vowels' resonances into syllables,
with pauses and noise between. The detector keeps state from chunk to chunk.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
import torch_tensorrt

RATE = 16000  # samples a second
CHUNK = 512  # samples of one call
SECONDS = 6.4
VOWELS = [(730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480)]  # Hz


def speech_like_wave() -> np.ndarray:
    """Float32 samples: syllables in the seconds 1..3 and 4..6, faint noise all the time."""
    rng = np.random.default_rng(0)
    time_ = np.arange(int(SECONDS * RATE)) / RATE
    pitch = 120 + 15 * np.sin(2 * np.pi * 0.9 * time_) + 4 * np.sin(2 * np.pi * 5 * time_)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    vowel = (time_ * 4).astype(int) % len(VOWELS)
    wave = np.zeros_like(time_)
    for harmonic in range(1, 30):
        frequency = harmonic * pitch
        gain = np.zeros_like(time_)
        for index, formants in enumerate(VOWELS):
            response = sum(1 / (1 + ((frequency - f) / 90) ** 2) for f in formants)
            gain += (vowel == index) * response
        wave += gain * np.sin(harmonic * phase) / np.sqrt(harmonic)
    syllables = np.clip(np.sin(2 * np.pi * 4 * time_ - np.pi / 2) + 0.7, 0, 1)
    speaking = ((time_ > 1) & (time_ < 3)) | ((time_ > 4) & (time_ < 6))
    wave = 0.25 * wave / np.abs(wave).max() * syllables * speaking
    return (wave + 0.001 * rng.standard_normal(len(time_))).astype(np.float32)


def model_file() -> Path:
    """The TorchScript file in the package silero-vad, which need not be imported."""
    package = find_spec("silero_vad")
    if package is None or not package.submodule_search_locations:
        raise SystemExit("the model is missing: pip install --no-deps silero-vad==6.2.3")
    return Path(package.submodule_search_locations[0]) / "data" / "silero_vad.jit"


def torchtrtc(*arguments: str) -> None:
    """Runs the command line program of the installed package and shows the command."""
    program = Path(torch_tensorrt.__file__).parent / "bin" / "torchtrtc"
    print("$ torchtrtc", *arguments, flush=True)
    subprocess.run([str(program), *arguments], check=True)


def probabilities(
    module: torch.jit.ScriptModule, chunks: torch.Tensor
) -> tuple[torch.Tensor, float]:
    """Speech probability of each chunk, in order, and milliseconds a chunk."""
    start = time.perf_counter()
    found = torch.cat([module(chunk[None], RATE) for chunk in chunks]).flatten()
    return found, (time.perf_counter() - start) * 1e3 / len(chunks)


def curve(values: torch.Tensor) -> str:
    """One character per two chunks."""
    levels = " .:-=+*#%@"
    return "".join(levels[min(int(v * 10), 9)] for v in values[::2].tolist())


@torch.no_grad()
def main() -> None:
    wave = torch.from_numpy(speech_like_wave())
    chunks = wave[: len(wave) // CHUNK * CHUNK].reshape(-1, CHUNK)

    with tempfile.TemporaryDirectory() as folder:
        compiled = Path(folder) / "vad.ts"
        torchtrtc(str(model_file()), str(compiled), f"(1,{CHUNK})@f32")
        fast = torch_tensorrt.load(compiled)
    eager = torch.jit.load(str(model_file()), map_location="cpu").eval()

    expected, eager_ms = probabilities(eager, chunks)
    found, our_ms = probabilities(fast, chunks)

    print(f"\nSpeech probability over {SECONDS} s (speech-like sound in 1..3 s and 4..6 s)")
    print(f"  eager     |{curve(expected)}|")
    print(f"  compiled  |{curve(found)}|")
    print("\n  second    eager  compiled")
    for index in range(0, len(chunks), 16):
        second = index * CHUNK / RATE
        print(f"  {second:6.2f}  {expected[index]:7.4f}  {found[index]:8.4f}")
    difference = (found - expected).abs().max().item()
    print(f"\nResult\n  {torch_tensorrt.report(fast).summary}")
    print(f"  {len(chunks)} chunks of {CHUNK} samples, state carried from chunk to chunk")
    print(f"  eager {eager_ms:.2f} ms a chunk, compiled {our_ms:.2f} ms: {eager_ms / our_ms:.2f}x")
    print(f"  largest difference of a probability: {difference:.1e}")
    if difference > 1e-4:
        sys.exit("the compiled model differs from eager PyTorch")


if __name__ == "__main__":
    main()
