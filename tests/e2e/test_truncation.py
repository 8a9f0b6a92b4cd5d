"""truncate_long_and_double: a float64 model computes in float32 inside engines."""

import pytest
import torch
import torch_tensorrt
from torch import Tensor, nn

X = torch.rand(3, 8, dtype=torch.float64)


class Doubles(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(8, 8), nn.Linear(8, 4)
        self.register_buffer("scale", torch.full((4,), 0.5))
        self.double()

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        y = self.second(torch.relu(self.first(x))) * self.scale
        z = y + torch.arange(4, dtype=torch.float64)
        return y, [z, (z > 1).to(torch.float64)]


@pytest.mark.parametrize("ir", ["ts", "dynamo"])
@pytest.mark.parametrize("setting", ["truncate_long_and_double", "truncate_double"])
def test_doubles_run_in_an_engine(ir: str, setting: str) -> None:
    model = Doubles().eval()
    fast = torch_tensorrt.compile(model, ir=ir, inputs=[X], min_block_size=1, **{setting: True})
    assert len(torch_tensorrt.report(fast).engines) == 1
    stayed = {node["op"] for node in torch_tensorrt.report(fast).in_pytorch}
    assert stayed == {"aten::to.dtype"}
    torch.testing.assert_close(fast(X), model(X), rtol=1e-5, atol=1e-6)
    # Of double precision the result has the dtype only.
    assert not torch.equal(fast(X)[0], model(X)[0])


@pytest.mark.parametrize("ir", ["ts", "dynamo"])
def test_otherwise_they_stay_in_pytorch(ir: str) -> None:
    model = Doubles().eval()
    fast = torch_tensorrt.compile(model, ir=ir, inputs=[X], min_block_size=1)
    assert torch_tensorrt.report(fast).engines == []
    torch.testing.assert_close(fast(X), model(X), rtol=0, atol=0)
