"""`make test TENSORRT=none`: on PYTHONPATH, hides NVIDIA's modules from Python processes."""

import sys

sys.modules["tensorrt"] = sys.modules["tensorrt_rtx"] = None
