"""Types that depend on data are seen in one run and guarded: what follows goes into engines."""

import torch
import torch_tensorrt
from e2e.checks import assert_close, ops_in_pytorch
from torch import Tensor, nn


class Detector(nn.Module):
    """In small what detection models do: a batch made in a loop, boxes that depend on data."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.backbone = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, stride=2), nn.ReLU()
        )
        self.register_buffer("calls", torch.zeros(()))

    def batch(self, images: list[Tensor]) -> Tensor:
        height, width = 0, 0
        for image in images:
            height = max(height, image.size(1))
            width = max(width, image.size(2))
        padded: list[Tensor] = []
        for image in images:
            shape = [0, width - image.size(2), 0, height - image.size(1)]
            padded.append(nn.functional.pad(image, shape))
        # Without the rows at the end that are all black.
        used = torch.nonzero(torch.stack(padded).amax([0, 1, 3]) > 0)
        return torch.stack(padded)[:, :, : int(used.max()) + 1]

    def forward(self, images: list[Tensor]) -> list[Tensor]:
        self.calls += 1
        features = self.backbone(self.batch(images))
        found: list[Tensor] = []
        for i in range(len(images)):
            found.append(features[i][features[i] > 0.2])
        return found


def images(rows: int = 16) -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    first = torch.rand(3, 16, 20, generator=generator)
    second = torch.rand(3, 12, 24, generator=generator)
    first[:, rows:], second[:, rows:] = 0, 0
    return [first, second]


def compiled(module: torch.jit.ScriptModule) -> torch.jit.ScriptModule:
    return torch_tensorrt.compile(module, ir="ts", inputs=(images(),), engine="openvino")


def test_the_backbone_is_an_engine() -> None:
    module = torch.jit.script(Detector().eval())
    fast = compiled(module)
    assert "aten::conv2d" not in ops_in_pytorch(fast)
    backbones = [e for e in torch_tensorrt.report(fast).engines if " conv(" in e["network"]]
    assert len(backbones) == 1
    assert_close(fast(images()), module(images()))


def test_other_types_than_the_observed_ones_run_in_pytorch() -> None:
    module = torch.jit.script(Detector().eval())
    fast = compiled(module)
    for rows in (15, 3, 16, 9):
        assert_close(fast(images(rows)), module(images(rows)))


def test_the_run_leaves_no_traces() -> None:
    module = torch.jit.script(Detector().eval())
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    fast = compiled(module)
    assert torch.equal(torch.rand(3), expected)
    assert module.calls.item() == 0
    assert fast.calls.item() == 0


class Picky(nn.Module):
    """Fails on what a run on random inputs gives it."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        kept = x[x > 2.0]
        if kept.numel() != 8:
            raise ValueError("expected eight large numbers")
        return torch.relu(self.fc(kept.view(2, 4))) * 2


def test_a_model_that_refuses_random_inputs_still_compiles() -> None:
    module = torch.jit.script(Picky().eval())
    x = torch.linspace(0, 3, 24)
    fast = torch_tensorrt.compile(module, ir="ts", inputs=[x], engine="openvino", min_block_size=1)
    assert ops_in_pytorch(fast)["aten::linear"] == "type"
    assert_close(fast(x), module(x))


class Packed(nn.Module):
    """Sequences of several lengths, which zeros could not stand for."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embed, self.gru, self.head = nn.Linear(4, 4), nn.GRU(4, 5), nn.Linear(5, 3)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        packed = nn.utils.rnn.pack_padded_sequence(torch.relu(self.embed(x)), lengths)
        result, _ = self.gru(packed)
        padded, _ = nn.utils.rnn.pad_packed_sequence(result)
        return torch.relu(self.head(padded))


def test_packed_sequences_stay_in_pytorch() -> None:
    x, lengths, module = torch.randn(6, 3, 4), torch.tensor([6, 4, 1]), Packed().eval()
    fast = torch_tensorrt.compile(
        torch.jit.script(module), ir="ts", inputs=[x, lengths], min_block_size=1
    )
    assert {"aten::_pack_padded_sequence", "aten::gru.data", "aten::_pad_packed_sequence"} <= {
        *ops_in_pytorch(fast)
    }
    for other in (lengths, torch.tensor([6, 2, 2])):
        assert_close(fast(x, other), module(x, other))
