import dataclasses
import json
import logging
import multiprocessing
import os
import subprocess
import sys
import zipfile

import pandas as pd
import pytest
from data_cases import GOOD, dat, put

from aicine_utils import columns as c
from aicine_utils.data import cache, catalogue, datasets, download, labels, readers
from aicine_utils.errors import AicineError
from aicine_utils.settings import data_dir

SHARED = os.environ.get("AICINE_DATA")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("AICINE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("AICINE_DATA", raising=False)
    return tmp_path / "home"


def same(first, second):
    pd.testing.assert_frame_equal(first.ratings, second.ratings)
    pd.testing.assert_frame_equal(first.movies, second.movies)
    pd.testing.assert_frame_equal(first.users, second.users)
    assert first.info == second.info
    return True


def forbid(monkeypatch, module, name):
    def refuse(*args, **kwargs):
        raise AssertionError(f"{name} must not be called")

    monkeypatch.setattr(module, name, refuse)


def test_ml_100k_comes_from_the_wheel(monkeypatch):
    forbid(monkeypatch, download, "fetch")
    data = datasets.load("ml-100k")
    assert (len(data.ratings), len(data.movies), len(data.users)) == (100_000, 1682, 943)
    assert data.ratings[c.RATING].value_counts().sort_index().tolist() == [6110, 11370, 27145, 34174, 21201]
    assert data.movies[c.GENRES][0] == ["Animation", "Children's", "Comedy"]
    assert len({genre for genres in data.movies[c.GENRES] for genre in genres}) == 18
    assert data.movies.set_index(c.MOVIE)[c.TITLE][12] == "The Usual Suspects"
    assert (data.movies[c.YEAR].dropna().between(1922, 1998)).all()
    assert set(data.users[c.AGE]) == set(labels.AGE_GROUPS)
    assert data.info["repairs"] == {}


def test_ml_100k_does_not_import_heavy_libraries():
    heavy = "{'recbole', 'torch', 'pandera'}"  # pandera only when the Parquet copy has to be made
    code = f"""if True:
        import sys
        from aicine_utils.data import datasets
        datasets.load("ml-100k")
        first = {heavy} & set(sys.modules)
        print(sorted(first))"""
    first, again = (subprocess.run([sys.executable, "-c", code], capture_output=True, text=True) for _ in range(2))
    assert first.stdout.split("\n")[0] == "['pandera']", first.stderr
    assert again.stdout.split("\n")[0] == "[]", again.stderr


@pytest.mark.skipif(not SHARED or not os.path.isdir(f"{SHARED}/ml-1m"), reason="no copy of ml-1m in AICINE_DATA")
def test_ml_1m(monkeypatch):
    monkeypatch.setenv("AICINE_DATA", str(SHARED))
    data = datasets.load("ml-1m")
    assert (len(data.ratings), len(data.movies), len(data.users)) == (1_000_209, 3883, 6040)
    assert data.users[c.OCCUPATION][0] == "K-12 student"
    assert "Les Misérables" in set(data.movies[c.TITLE])
    assert same(data, datasets.load("ml-1m"))


def raw_copy(name="ml-1m", files=GOOD):
    return put(data_dir() / "raw" / name, files)


def test_a_copy_that_differs_is_used_with_one_warning(caplog):
    raw_copy()
    with caplog.at_level(logging.WARNING):
        first = datasets.load("ml-1m")
        again = datasets.load("ml-1m")
    assert len(first.ratings) == 3
    assert len(caplog.records) == 1
    assert "ratings.dat differs from the published file" in caplog.text
    assert first.info["warnings"] == again.info["warnings"] == [caplog.records[0].message]


def test_a_copy_with_the_published_checksum_is_used_without_a_word(caplog, monkeypatch):
    folder = raw_copy()
    known = dataclasses.replace(datasets.SOURCES["ml-1m"], ratings_md5=download.md5_of(folder / "ratings.dat"))
    monkeypatch.setitem(datasets.SOURCES, "ml-1m", known)
    assert datasets.load("ml-1m").info["warnings"] == []
    assert caplog.records == []


def test_own_copies_come_before_the_shared_ones(tmp_path, monkeypatch):
    put(tmp_path / "shared" / "ml-1m", {**GOOD, "ratings.dat": "1::10::5::1\n"})
    monkeypatch.setenv("AICINE_DATA", str(tmp_path / "shared"))
    assert len(datasets.load("ml-1m").ratings) == 1
    raw_copy()
    assert len(datasets.load("ml-1m").ratings) == 3


@pytest.mark.parametrize("lost", ["movies.dat", "users.dat"])
def test_a_published_set_must_be_complete(lost):
    raw_copy(files={**GOOD, lost: None})
    with pytest.raises(AicineError, match=f"{lost}: the file is missing from .*ml-1m. Put it there"):
        datasets.load("ml-1m")


def test_a_missing_set_is_downloaded_checked_and_unpacked(tmp_path, monkeypatch):
    asked = []

    def fetch(url, target, md5):
        asked.append((url, md5))
        target.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(target, "w") as archive:
            for name, content in GOOD.items():
                archive.writestr(f"ml-1m/{name}", content)
        return target

    monkeypatch.setattr(download, "fetch", fetch)
    assert len(datasets.load("ml-1m").ratings) == 3
    assert len(datasets.load("ml-1m").ratings) == 3
    expected = ("https://files.grouplens.org/datasets/movielens/ml-1m.zip", "c4d9eecfca2ab87c1945afe126590906")
    assert asked == [expected]
    assert sorted(path.name for path in (data_dir() / "raw").iterdir()) == ["ml-1m"]


def test_a_folder_without_ratings_is_not_overwritten(monkeypatch):
    forbid(monkeypatch, download, "fetch")
    raw_copy(files={"notes.txt": "mine"})
    with pytest.raises(AicineError, match="Complete it, or remove it"):
        datasets.load("ml-1m")


def test_the_second_load_reads_parquet_and_is_equal(tmp_path, monkeypatch):
    folder = dat(tmp_path)
    first = datasets.load(str(folder))
    forbid(monkeypatch, readers, "read")
    assert same(first, datasets.load(str(folder)))
    files = {path.name for path in (data_dir() / "parquet" / "own").iterdir()}
    assert files == {"ratings.parquet", "movies.parquet", "users.parquet", "info.json"}


def test_a_changed_source_or_scale_is_read_anew(tmp_path):
    folder = dat(tmp_path)
    assert len(datasets.load(str(folder)).ratings) == 3
    put(folder, {"ratings.dat": GOOD["ratings.dat"] + "2::20::1::978300799\n"})
    assert len(datasets.load(str(folder)).ratings) == 4
    assert datasets.load(str(folder), rating_scale=(0, 10)).info["rating_scale"] == [0, 10]
    put(folder, {"users.dat": "1::F::1::10::1\n2::F::1::10::1\n"})
    assert datasets.load(str(folder)).users[c.GENDER].tolist() == ["F", "F"]


@pytest.mark.parametrize("damaged", ["ratings.parquet", "info.json"])
def test_a_damaged_copy_is_made_again(tmp_path, damaged):
    folder = dat(tmp_path)
    first = datasets.load(str(folder))
    (cache.folder("own") / damaged).write_bytes(b"half")
    assert same(first, datasets.load(str(folder)))
    assert (cache.folder("own") / damaged).read_bytes() != b"half"


def test_a_disk_that_cannot_be_written_to_is_no_error(tmp_path, monkeypatch, caplog):
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("AICINE_HOME", str(tmp_path / "file"))
    assert len(datasets.load(str(dat(tmp_path))).ratings) == 3
    assert "no Parquet copy could be kept" in caplog.text


def _load_often(folder):
    return {len(datasets.load(folder).ratings) for _ in range(30)}


def test_processes_that_load_and_replace_at_once_see_whole_copies(tmp_path):
    """Two folders of one name fight for one copy: every reader must still get its own three or four rows."""
    small = dat(tmp_path)
    large = dat(tmp_path / "b", ratings=GOOD["ratings.dat"] + "2::20::1::978300799\n")
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        seen = pool.map(_load_often, [str(small), str(large)])
    assert seen == [{3}, {4}]
    assert [path.name for path in cache.folder("own").parent.iterdir()] == ["own"]


def test_info_is_plain_json_and_complete(tmp_path):
    info = datasets.load(str(dat(tmp_path))).info
    assert json.loads(json.dumps(info)) == info
    assert set(info) == {"name", "source", "licence", "rating_scale", "repairs", "checksum", "fingerprint", "files",
                         "warnings"}  # fmt: skip
    assert str(tmp_path) not in json.dumps(info)


def test_the_fingerprint_follows_the_content(tmp_path):
    changes = [{}, {"ratings": "1::10::4::978300760\n"}, {"movies": "10::A::B\n"}, {"users": "1::F::1::10::4\n"}]
    folders = [dat(tmp_path / str(i), **change) for i, change in enumerate(changes)]
    prints = [datasets.load(str(folder)).info["fingerprint"] for folder in folders]
    assert len(set(prints)) == 4


@pytest.mark.parametrize(("name", "slug"), [("My Data_2", "my-data-2"), ("영화 평점", "영화-평점"), ("...", "data")])
def test_slug(name, slug):
    assert catalogue.slug(name) == slug
