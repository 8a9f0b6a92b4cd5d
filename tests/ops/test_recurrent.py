"""LSTM, GRU and plain recurrent networks, and their cells."""

import torch
from ops.harness import Dyn, T, op_rows
from torch import nn

SEQUENCE = Dyn((1, 1, 3), (7, 2, 3), (9, 4, 3))
BATCHED = Dyn((1, 1, 3), (2, 7, 3), (4, 9, 3))


class WithState(nn.Module):
    """Gets its first state from the caller."""

    def __init__(self, net: nn.LSTM) -> None:
        super().__init__()
        self.net = net

    def forward(
        self, x: torch.Tensor, h: torch.Tensor, c: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        y, (h, c) = self.net(x, (h, c))
        return y, h, c


@op_rows(
    ("one_layer", nn.LSTM(3, 5), T(7, 2, 3)),
    ("dynamic", nn.LSTM(3, 5), SEQUENCE),
    ("batch_first", nn.LSTM(3, 5, batch_first=True), BATCHED),
    ("layers", nn.LSTM(3, 5, 3, dropout=0.5), T(7, 2, 3)),
    ("both_directions", nn.LSTM(3, 5, 2, bidirectional=True), T(7, 2, 3)),
    ("both_batch_first", nn.LSTM(3, 5, 2, batch_first=True, bidirectional=True), BATCHED),
    ("no_bias", nn.LSTM(3, 5, 2, bias=False), T(7, 2, 3)),
    ("no_batch", nn.LSTM(3, 5), T(7, 3)),
    ("state", WithState(nn.LSTM(3, 5, 2)), T(7, 2, 3), T(2, 2, 5), T(2, 2, 5)),
)
def test_lstm(case):
    case.check()


@op_rows(
    ("one_layer", nn.GRU(3, 5), T(7, 2, 3)),
    ("dynamic", nn.GRU(3, 5), SEQUENCE),
    ("both_directions", nn.GRU(3, 5, 2, bidirectional=True), T(7, 2, 3)),
    ("batch_first", nn.GRU(3, 5, batch_first=True), BATCHED),
    ("no_bias", nn.GRU(3, 5, bias=False), T(7, 2, 3)),
    ("state", nn.GRU(3, 5, 2), T(7, 2, 3), T(2, 2, 5)),
)
def test_gru(case):
    case.check()


@op_rows(
    ("tanh", nn.RNN(3, 5), T(7, 2, 3)),
    ("relu", nn.RNN(3, 5, nonlinearity="relu"), T(7, 2, 3)),
    ("dynamic", nn.RNN(3, 5, 2), SEQUENCE),
    ("both_directions", nn.RNN(3, 5, 2, bidirectional=True, batch_first=True), T(2, 7, 3)),
    ("no_bias", nn.RNN(3, 5, bias=False), T(7, 2, 3)),
)
def test_rnn(case):
    case.check()


class Unrolled(nn.Module):
    """A cell in a loop over a fixed number of steps."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(3, 5)

    def forward(self, x: torch.Tensor, h: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
        steps = []
        for i in range(4):
            h, c = self.cell(x[i], (h, c))
            steps.append(h)
        return torch.stack(steps)


@op_rows(
    ("lstm", nn.LSTMCell(3, 5), T(2, 3)),
    ("lstm_no_bias", nn.LSTMCell(3, 5, bias=False), T(2, 3)),
    ("lstm_no_batch", nn.LSTMCell(3, 5), T(3)),
    ("lstm_unrolled", Unrolled(), T(4, 2, 3), T(2, 5), T(2, 5)),
    ("gru", nn.GRUCell(3, 5), T(2, 3), T(2, 5)),
    ("gru_dynamic", nn.GRUCell(3, 5), Dyn((1, 3), (2, 3), (5, 3))),
    ("rnn_tanh", nn.RNNCell(3, 5), T(2, 3), T(2, 5)),
    ("rnn_relu", nn.RNNCell(3, 5, nonlinearity="relu"), T(2, 3), T(2, 5)),
)
def test_recurrent_cell(case):
    case.check()
