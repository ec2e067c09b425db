"""The drop-downs of notebook 12 in a real JupyterLab: another person is picked, films are typed, the lists change."""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from aicine_utils import experiment, settings
from aicine_utils.data import datasets
from aicine_utils.pipeline import plan

SAVED = ["views", "item_knn", "baseline"]
FLAGS = ["--no-sandbox", "--disable-gpu"]
PATIENCE = 120  # seconds


def until_the_drop_downs(target):
    """The notebook on the synthetic data, without the cells that come after the drop-downs."""
    notebook = json.loads((plan.FOLDER / "12_try_it.ipynb").read_text())
    texts = ["".join(cell["source"]) for cell in notebook["cells"]]
    last = next(place for place, text in enumerate(texts) if text.startswith("try_it.choose("))
    notebook["cells"] = notebook["cells"][: last + 1]
    for cell, text in zip(notebook["cells"], texts, strict=False):
        if "parameters" in cell["metadata"].get("tags", []):
            cell["source"] = text.replace('"ml-100k"', '"mock"').replace('"quick"', '"mock"')
    target.write_text(json.dumps(notebook))


@pytest.fixture
def lab(tmp_path, home, mock_split):
    """Address of a JupyterLab on this machine alone, and its token; three models are saved."""
    for name in SAVED:
        experiment.run(name, mock_split)
    folder = tmp_path / "notebooks"
    folder.mkdir()
    until_the_drop_downs(folder / "try_it.ipynb")
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
        yield f"http://127.0.0.1:{port}", token
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


@pytest.mark.slow
def test_in_jupyterlab_the_lists_follow_the_drop_downs(lab, chromium):
    from playwright.sync_api import expect, sync_playwright

    address, token = lab
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.set_default_timeout(PATIENCE * 1000)
        expect.set_options(timeout=PATIENCE * 1000)
        page.route(lambda url: not url.startswith((address, "data:", "blob:")), lambda route: route.abort())
        page.goto(f"{address}/lab/tree/try_it.ipynb?token={token}")
        # Asked before the kernel is there, the command opens a dialog about it; its promise ends with the last cell.
        kernel = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel"
        page.wait_for_function(f"{kernel}?.status === 'idle'")
        page.evaluate("void window.jupyterapp.commands.execute('notebook:run-all-cells')")

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
        browser.close()
