"""numba, unless its environment variables keep it from starting: imported before all else."""

import os

from tinycnn.errors import EnvironmentFault

try:
    import numba  # noqa: F401
except ValueError as error:
    threads = os.environ.get("NUMBA_NUM_THREADS")
    raise EnvironmentFault(
        f"numba cannot start with NUMBA_NUM_THREADS={threads} ({str(error).rstrip('.')}); "
        "unset it, or choose a number from 1 on"
    ) from error
