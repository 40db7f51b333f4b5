"""The dtypes that the loss of a float32 model may have.

Before NumPy 2 a float32 scalar and a Python number made a float64, in the user's own function
as in ours: there the loss, a scalar, may be wider than the arrays that it is made of.
"""

from __future__ import annotations

import numpy as np

NUMPY_2 = int(np.__version__.split(".")[0]) >= 2
LOSS_OF_SINGLES = (np.float32,) if NUMPY_2 else (np.float32, np.float64)
