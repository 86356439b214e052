"""Settings of all tests."""

import os

# Set before NumPy loads: each worker of a parallel run would start threads of its own, and waiting threads cost
# more than they bring at these sizes.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
