"""LSTM, GRU and plain recurrent networks, and their cells."""

import torch
from ops.harness import Dyn, T, op_rows
from torch import nn

SEQUENCE = Dyn((1, 1, 3), (7, 2, 3), (9, 4, 3))
BATCHED = Dyn((1, 1, 3), (2, 7, 3), (4, 9, 3))


class Zeros(nn.Module):
    """Starts from zeros, as most callers do. nn.LSTM itself has two forwards, which no file can."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        y, h = self.net(x)
        return y, h


class ZerosLstm(nn.Module):
    """As Zeros, with two states."""

    def __init__(self, net: nn.LSTM) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        y, (h, c) = self.net(x)
        return y, h, c


class State(nn.Module):
    """Gets its first state from the caller."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: torch.Tensor, h: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        y, h = self.net(x, h)
        return y, h


class LstmState(nn.Module):
    """As State, with two."""

    def __init__(self, net: nn.LSTM) -> None:
        super().__init__()
        self.net = net

    def forward(
        self, x: torch.Tensor, h: torch.Tensor, c: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        y, (h, c) = self.net(x, (h, c))
        return y, h, c


@op_rows(
    ("one_layer", ZerosLstm(nn.LSTM(3, 5)), T(7, 2, 3)),
    ("dynamic", ZerosLstm(nn.LSTM(3, 5)), SEQUENCE),
    ("batch_first", ZerosLstm(nn.LSTM(3, 5, batch_first=True)), BATCHED),
    ("layers", ZerosLstm(nn.LSTM(3, 5, 3, dropout=0.5)), T(7, 2, 3)),
    ("both_directions", ZerosLstm(nn.LSTM(3, 5, 2, bidirectional=True)), T(7, 2, 3)),
    (
        "both_batch_first",
        ZerosLstm(nn.LSTM(3, 5, 2, batch_first=True, bidirectional=True)),
        BATCHED,
    ),
    ("no_bias", ZerosLstm(nn.LSTM(3, 5, 2, bias=False)), T(7, 2, 3)),
    ("no_batch", ZerosLstm(nn.LSTM(3, 5)), T(7, 3)),
    ("state", LstmState(nn.LSTM(3, 5, 2)), T(7, 2, 3), T(2, 2, 5), T(2, 2, 5)),
)
def test_lstm(case):
    case.check()


@op_rows(
    ("one_layer", Zeros(nn.GRU(3, 5)), T(7, 2, 3)),
    ("dynamic", Zeros(nn.GRU(3, 5)), SEQUENCE),
    ("both_directions", Zeros(nn.GRU(3, 5, 2, bidirectional=True)), T(7, 2, 3)),
    ("batch_first", Zeros(nn.GRU(3, 5, batch_first=True)), BATCHED),
    ("no_bias", Zeros(nn.GRU(3, 5, bias=False)), T(7, 2, 3)),
    ("state", State(nn.GRU(3, 5, 2)), T(7, 2, 3), T(2, 2, 5)),
)
def test_gru(case):
    case.check()


@op_rows(
    ("tanh", Zeros(nn.RNN(3, 5)), T(7, 2, 3)),
    ("relu", Zeros(nn.RNN(3, 5, nonlinearity="relu")), T(7, 2, 3)),
    ("dynamic", Zeros(nn.RNN(3, 5, 2)), SEQUENCE),
    ("both_directions", Zeros(nn.RNN(3, 5, 2, bidirectional=True, batch_first=True)), T(2, 7, 3)),
    ("no_bias", Zeros(nn.RNN(3, 5, bias=False)), T(7, 2, 3)),
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
