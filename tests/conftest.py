"""What all tests share: a home of their own, the synthetic data set, a browser, RecBole made to run."""

import os
import shutil

# As many processes as cores, so one thread each: threads that wait for those of another process slow tests tenfold.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest

from aicine_utils import splits
from aicine_utils.data import datasets

LONG = (
    "test_pipeline.py",
    "test_pipeline_own_ratings.py",
    "test_colab.py",
    "test_repository.py",
    "test_lab.py",
)  # long ones first, so that no core waits for them at the end


def pytest_collection_modifyitems(items):
    """The files that take minutes come first, each on a process of its own."""
    items.sort(key=lambda item: item.path.name not in LONG)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Data and outputs of a test go to its own folder."""
    monkeypatch.setenv("AICINE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="session")
def mock_data():
    """The synthetic data set."""
    return datasets.load("mock")


@pytest.fixture
def mock_split(mock_data):
    """The primary split of the synthetic data set."""
    return splits.make(mock_data, "user_temporal")


@pytest.fixture(scope="session")
def chromium():
    """Path of a Chromium; browser tests can't do without."""
    found = [path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))]
    assert found, "no Chromium on the PATH: install it (Debian: apt-get install chromium)"
    return found[0]


@pytest.fixture
def recbole_runs(tmp_path):
    """RecBole itself runs on today's libraries, and writes into the test's folder."""
    from aicine_utils.models.recbole import compat

    with compat.stock(tmp_path):
        yield
