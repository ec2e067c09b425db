"""A kernel that never began is started again; everything else is the notebook's own failure."""

import pytest

from aicine_utils.pipeline import execute


def failing(times, message="Kernel died before replying to kernel_info"):
    """A run that fails so many times, and the list of its calls."""
    calls = []

    def run():
        calls.append(1)
        if len(calls) <= times:
            raise RuntimeError(message)

    return run, calls


@pytest.mark.parametrize("times", [0, 1, 2])
def test_a_kernel_that_never_began_is_started_again(times):
    run, calls = failing(times)
    execute._started(run)
    assert len(calls) == times + 1


def test_at_most_three_times():
    run, calls = failing(9)
    with pytest.raises(RuntimeError, match="before replying"):
        execute._started(run)
    assert len(calls) == 3


def test_a_kernel_that_dies_at_work_is_not_started_again():
    run, calls = failing(1, "Kernel died")
    with pytest.raises(RuntimeError):
        execute._started(run)
    assert len(calls) == 1
