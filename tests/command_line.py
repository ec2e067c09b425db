"""The command line in a process of its own."""

import os
import subprocess
import sys

from aicine_utils import settings


def aicine(home, *words, notebooks=None):
    """Run the command line in a process of its own, with its own home."""
    env = {**os.environ, "AICINE_HOME": str(home), "PYTHONPATH": str(settings.ROOT), "COLUMNS": "160"}
    if notebooks:
        env["AICINE_NOTEBOOKS"] = str(notebooks)
    line = [sys.executable, "-m", "aicine_utils", *words]
    return subprocess.run(line, env=env, capture_output=True, text=True, timeout=900)
