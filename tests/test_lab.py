"""Two notebooks in a real JupyterLab: the drop-downs of 12 change its lists, and so do the stars given in 11."""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager

import pytest

from aicine_utils import experiment, settings, splits
from aicine_utils.data import datasets
from aicine_utils.feedback import store
from aicine_utils.pipeline import plan

SAVED = ["views", "item_knn", "baseline", "ease"]
FLAGS = ["--no-sandbox", "--disable-gpu"]
PATIENCE = 120  # seconds


def part_of(name, wanted, target, **given):
    """The notebook on the synthetic data: its parameters, those ``given`` changed, and the code cells ``wanted``."""
    notebook = json.loads((plan.FOLDER / f"{name}.ipynb").read_text())
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code" and wanted(cell)]
    for cell in cells:
        if "parameters" in cell["metadata"].get("tags", []):
            more = {"dataset": "mock", "preset": "mock", **given}
            cell["source"] = ["".join(cell["source"]), *(f"\n{name} = {value!r}" for name, value in more.items())]
    target.write_text(json.dumps({**notebook, "cells": cells}))


def up_to_the_drop_downs(target):
    done = []

    def wanted(cell):
        done.append("".join(cell["source"]).startswith("try_it.choose("))
        return not any(done[:-1])

    part_of("12_try_it", wanted, target)


def stars_alone(target):
    """Parameters, what is imported and opened, and the last part, which is shown only in JupyterLab."""
    starts = ("dataset = ", "from aicine_utils import notebook", "if live:")
    part_of("11_feedback_loop", lambda cell: "".join(cell["source"]).startswith(starts), target, live=True)


@pytest.fixture(scope="module")
def lab(tmp_path_factory, mock_data):
    """Address of a JupyterLab on this machine alone, its token, and the home whose data it reads; models are saved."""
    tmp_path = tmp_path_factory.mktemp("lab")
    with pytest.MonkeyPatch.context() as here:
        here.setenv("AICINE_HOME", str(tmp_path))
        experiment.run_all(SAVED, splits.make(mock_data, "user_temporal"))
        folder = tmp_path / "notebooks"
        folder.mkdir()
        up_to_the_drop_downs(folder / "try_it.ipynb")
        stars_alone(folder / "stars.ipynb")
        yield from serving(tmp_path, folder)


def serving(tmp_path, folder):
    """Start JupyterLab; its address, token and home; stop it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port, token = free.getsockname()[1], secrets.token_hex(16)
    own = {name: str(tmp_path / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR",
                                                   "IPYTHONDIR")}  # fmt: skip
    env = {**os.environ, **own, "PYTHONPATH": str(settings.ROOT), "JUPYTER_PREFER_ENV_PATH": "1"}
    line = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
            "--port-retries=0", f"--IdentityProvider.token={token}", f"--notebook-dir={folder}",
            "--expose-app-in-browser", "--LabApp.extension_manager=readonly", "--LabApp.news_url="]  # fmt: skip
    with (tmp_path / "lab.log").open("w") as log:
        server = subprocess.Popen(line, env=env, stdout=log, stderr=log)
    try:
        _wait_for(f"http://127.0.0.1:{port}/api?token={token}", server)
        yield f"http://127.0.0.1:{port}", token, tmp_path
    finally:
        server.terminate()
        server.wait(30)


def _wait_for(address, server):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and server.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            time.sleep(0.2)
    pytest.fail("JupyterLab did not start")


@contextmanager
def running(lab, chromium, notebook):
    """The page of a notebook of which all cells were asked to run."""
    from playwright.sync_api import expect, sync_playwright

    address, token, _ = lab
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.set_default_timeout(PATIENCE * 1000)
        expect.set_options(timeout=PATIENCE * 1000)
        page.route(lambda url: not url.startswith((address, "data:", "blob:")), lambda route: route.abort())
        page.goto(f"{address}/lab/workspaces/{notebook}/tree/{notebook}.ipynb?token={token}")
        # Asked before the kernel is there, the command opens a dialog about it; its promise ends with the last cell.
        kernel = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel"
        page.wait_for_function(f"{kernel}?.status === 'idle'")
        page.evaluate("void window.jupyterapp.commands.execute('notebook:run-all-cells')")
        yield page, expect
        browser.close()


@pytest.mark.slow
def test_in_jupyterlab_the_lists_follow_the_drop_downs(lab, chromium):
    with running(lab, chromium, "try_it") as (page, expect):
        person, family, model = (page.locator(".widget-dropdown select").nth(i) for i in range(3))
        heading = page.locator(".widget-html-content h3")
        expect(heading).to_contain_text("User ")
        expect(person.locator("option")).to_have_count(len(datasets.load("mock").users))
        person.select_option(index=2)
        expect(heading).to_contain_text("User 3,")
        shown = page.locator(".widget-html-content")
        expect(shown).to_contain_text("Most watched")

        typed, movies = page.locator(".widget-text input"), datasets.load("mock").movies["title"]
        typed.fill("No such film")
        typed.press("Enter")
        expect(shown).to_contain_text("Unknown movie 'No such film'")
        typed.fill("; ".join(movies[:2]))
        typed.press("Enter")
        expect(heading).to_contain_text("Someone new, 2 films watched")
        family.select_option(label="Neighbourhood")
        expect(shown).not_to_contain_text("Non-personalised")
        model.select_option(label="Why: Baseline (Surprise)")
        expect(shown).to_contain_text("knows only the people that it was trained with")


@pytest.mark.slow
def test_in_jupyterlab_stars_are_stored_and_change_the_list(lab, chromium, monkeypatch):
    with running(lab, chromium, "stars") as (page, expect):
        films, stars = page.locator(".widget-hbox .widget-label"), page.locator(".widget-hbox button")
        expect(stars).to_have_count(50)
        first = films.first.inner_text()
        stars.nth(4).click()
        expect(page.locator(".widget-vbox > .widget-label")).to_contain_text(f"5 stars for {first}: stored")
        expect(films.filter(has_text=first)).to_have_count(0)
        expect(stars).to_have_count(50)
    monkeypatch.setenv("AICINE_HOME", str(lab[2]))
    events = store.open_for(datasets.load("mock")).events(user="me")
    assert events["kind"].value_counts().to_dict() == {"impression": 20, "rate": 1}
    assert events.loc[events["kind"] == "rate", "value"].tolist() == [5.0]
