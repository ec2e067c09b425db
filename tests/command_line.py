"""The command line in a process of its own."""

import os
import signal
import subprocess
import sys

from aicine_utils import settings


def aicine(home, *words, notebooks=None, counted=True):
    """Run the command line in a process of its own, with its own home.

    Not ``counted``: its lines are left out of coverage, which makes a whole pipeline a third slower.
    """
    line, env = _asked(home, words, notebooks, counted)
    return subprocess.run(line, env=env, capture_output=True, text=True, timeout=900)


def begun(home, *words, notebooks=None):
    """The same, begun in a group of processes of its own, which a signal reaches as Ctrl-C in a terminal does."""
    line, env = _asked(home, words, notebooks, counted=True)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(line, env=env, text=True, start_new_session=True, preexec_fn=_hears_ctrl_c, **pipes)


def _hears_ctrl_c():
    """Shells let what they begin in the background ignore this signal, and so would all that a test begins there."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _asked(home, words, notebooks, counted):
    """The command line and the environment."""
    env = {**os.environ, "AICINE_HOME": str(home), "PYTHONPATH": str(settings.ROOT), "COLUMNS": "160"}
    if notebooks:
        env["AICINE_NOTEBOOKS"] = str(notebooks)
    if not counted:
        env.pop("COVERAGE_PROCESS_CONFIG", None)
    return [sys.executable, "-m", "aicine_utils", *words], env
