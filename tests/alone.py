"""What a command needs around it that a test starts as a process of its own."""

import os
from pathlib import Path

ENVIRONMENT = os.environ | {
    "PYTHONPATH": str(Path(__file__).parents[1]),
    "OMP_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "TOKENIZERS_PARALLELISM": "false",
}
"""This checkout's code, one thread."""
