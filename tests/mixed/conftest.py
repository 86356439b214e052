"""Settings of the engine's tests."""

import os

# Set before NumPy loads: on a busy machine OpenBLAS's waiting threads cost more than they bring at these sizes.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
