"""Paths and threads for all Python tests."""

import os
import sys
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch

sys.path.insert(0, str(Path(__file__).parent))  # known_failures, ops.harness, e2e.harness
torch.set_num_threads(min(torch.get_num_threads(), os.cpu_count() or 1))
torch.set_grad_enabled(False)
