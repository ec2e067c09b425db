"""What all tests share: a home of their own, the synthetic data set, a browser, RecBole made to run on NumPy 2."""

import shutil
import sys

import numpy as np
import pytest

from aicine_utils import splits
from aicine_utils.data import datasets


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
def recbole_runs(monkeypatch, tmp_path):
    """RecBole's Config reads names that left NumPy 2, parses the command line, and writes where it stands."""
    for old, new in {"float_": np.float64, "complex_": np.complex128, "unicode_": np.str_}.items():
        monkeypatch.setattr(np, old, new, raising=False)
    monkeypatch.setattr(sys, "argv", ["pytest"])
    monkeypatch.chdir(tmp_path)
