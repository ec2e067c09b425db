"""Fit, score, measure, keep: one run is one folder, and a run that exists is read instead of made again.

A run's key is its parameters, the split's hash, the seed, and the source of the model's modules with comments and
docstrings left out, so that a mended typo costs nothing. Lists are saved first and measured afterwards: when only the
metrics change, the lists are measured again and nothing is trained.
"""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock

from aicine_utils import columns as c
from aicine_utils import protocols, provenance, settings, splits, training_log
from aicine_utils.metrics import evaluate, rating
from aicine_utils.models import registry
from aicine_utils.models.base import Recommender, lists
from aicine_utils.splits import Split

METRICS = "aicine_utils.metrics"


@dataclass(frozen=True)
class Result:
    """One finished run; tables are read when asked for."""

    folder: Path
    cached: bool = field(default=True, compare=False)  # read from an earlier run's folder, not made just now

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """Model, parameters, split, seed, versions, host, seconds, memory."""
        return json.loads((self.folder / "manifest.json").read_text(encoding="utf-8"))

    @property
    def name(self) -> str:
        """Name of the model in the registry."""
        return self.manifest["model"]

    @cached_property
    def topk(self) -> pd.DataFrame:
        """The best 100 movies of each test user: user_id, movie_id, rank, score."""
        return pd.read_parquet(self.folder / "topk.parquet")

    @cached_property
    def predictions(self) -> pd.DataFrame | None:
        """Test ratings beside predicted stars; None for models that don't rate."""
        path = self.folder / "predictions.parquet"
        return pd.read_parquet(path) if path.exists() else None

    @cached_property
    def per_user(self) -> pd.DataFrame:
        """user_id, metric, k, value."""
        return pd.read_parquet(self.folder / "per_user.parquet")

    @cached_property
    def curve(self) -> pd.DataFrame | None:
        """What a model noted while it trained: a row for each epoch; None for models without epochs."""
        path = self.folder / "curve.csv"
        return pd.read_csv(path) if path.exists() else None

    def values(self, metric: str = "ndcg", k: int = 10) -> pd.Series:
        """One metric by user_id."""
        rows = self.per_user[(self.per_user[c.METRIC] == metric) & (self.per_user[c.K] == k)]
        return rows.set_index(c.USER)[c.VALUE]

    def model(self) -> Recommender:
        """The fitted model, loaded."""
        return registry.entry(self.name).model_class.load(self.folder / "model")


def key(model: Recommender, split: Split) -> str:
    """Twelve hex digits that name a run of this model on this split."""
    module = type(model).__module__
    parts = [module, type(model).__name__, json.dumps(model.params, sort_keys=True), split.hash, str(model.seed)]
    code = [provenance.source_of(module, within="aicine_utils.models"),
            *(provenance.source_of(part.__name__, within=part.__name__) for part in (splits, protocols))]  # fmt: skip
    if provenance.imports(module, METRICS):  # a metric tells it when to stop, or its weights
        code.append(_measures())
    members = [key(member, split) for member in model.members(split)]
    return provenance.digest([*parts, str(split.refits), *code, *members])


def _measures() -> str:
    """Digest of the code of the metrics alone: what they import (settings, say) changes no value of theirs."""
    return provenance.source_of(METRICS, within=METRICS)


def run(name: str, split: Split, seed: int = 0, **overrides: Any) -> Result:
    """Fit a model of the registry on ``split``, make its lists, measure them, and keep all; or read what was kept.

    ``overrides`` replace parameters of the committed configuration. Safe to call from several processes at once.
    """
    dataset = split.info["dataset"]
    model = registry.create(name, dataset, seed, split.protocol, **overrides)
    folder = run_folder(dataset, split, name, seed, key(model, split))
    folder.parent.mkdir(parents=True, exist_ok=True)
    with lock(folder):
        cached = (folder / "manifest.json").exists()
        if not cached:
            _write(folder, lambda target: _make(target, name, model, split))
        training_log.write(folder)
        result = Result(folder, cached)
        if result.manifest["measured_by"] != _measures():
            result = _measure_again(result, split)
    return result


def finished(name: str, split: Split, seed: int = 0) -> Result | None:
    """The kept run that :func:`run` would read; None where it would train. Nothing is trained or measured here."""
    dataset = split.info["dataset"]
    model = registry.create(name, dataset, seed, split.protocol)
    folder = run_folder(dataset, split, name, seed, key(model, split))
    return Result(folder) if (folder / "manifest.json").exists() else None


def run_folder(dataset: str, split: Split, name: str, seed: int, run_key: str) -> Path:
    """``outputs/<dataset>/runs/<protocol>/<model>-s<seed>-<key>``."""
    return settings.output_dir(dataset) / "runs" / split.protocol / f"{name}-s{seed}-{run_key}"


def lock(folder: Path, timeout: float = -1) -> FileLock:
    """Held by the process that makes, measures or deletes this run; ``timeout`` in seconds, negative to wait."""
    return FileLock(folder.parent / f".{folder.name}.lock", timeout)


def hidden(folder: Path) -> Path:
    """This process's temporary name of a run's folder: what bears it is no run."""
    return folder.parent / f".{folder.name}.{os.getpid()}"


def _write(folder: Path, make: Callable[[Path], None]) -> None:
    """Fill a folder of temporary name, then rename it: a run is whole or absent.

    The caller holds the run's lock, so other folders of such a name were left by a process that was killed.
    """
    target = hidden(folder)
    for left in [folder, *folder.parent.glob(f".{folder.name}.[0-9]*")]:
        shutil.rmtree(left, ignore_errors=True)
    target.mkdir()
    try:
        make(target)
        target.rename(folder)
    finally:
        shutil.rmtree(target, ignore_errors=True)


def _make(target: Path, name: str, model: Recommender, split: Split) -> None:
    final = split.for_test()
    for library in model.libraries:
        import_module(library)  # a second of importing is no training
    with provenance.Cost() as whole:
        with provenance.Cost() as fitting:
            model.fit(split if model.refits_itself else final)
        with provenance.Cost() as listing:
            topk, predictions = lists(model, final)
    _write_results(target, model, split, topk, predictions)
    costs = {"fit_seconds": fitting.seconds, "recommend_seconds": listing.seconds, "peak_mb": whole.peak_mb}
    manifest = {"model": name, "n_users": int(topk[c.USER].nunique()), **costs, **_described(model, split)}
    (target / "manifest.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")


def _write_results(
    target: Path, model: Recommender, split: Split, topk: pd.DataFrame, predictions: pd.DataFrame | None
) -> None:
    topk.to_parquet(target / "topk.parquet", index=False)
    if predictions is not None:
        predictions.to_parquet(target / "predictions.parquet", index=False)
    measure(topk, predictions, split).to_parquet(target / "per_user.parquet", index=False)
    if model.curve is not None:
        pd.DataFrame(model.curve).to_csv(target / "curve.csv", index=False)
    model.save(target / "model")


def _described(model: Recommender, split: Split) -> dict[str, Any]:
    """What a manifest says of the model, the data and the code."""
    return {
        "params": model.params, "seed": model.seed, "protocol": split.protocol, "dataset": split.info["dataset"],
        "split": split.hash, "parameters": model.n_parameters, "stopped_by_budget": model.stopped_by_budget,
        "measured_by": _measures(),
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **provenance.environment(),
    }  # fmt: skip


def measure(topk: pd.DataFrame, predictions: pd.DataFrame | None, split: Split) -> pd.DataFrame:
    """All per-user values of one model's lists and stars."""
    parts = [evaluate.evaluate(topk, split.relevant(split.test), split=split)]
    if predictions is not None:
        parts.append(rating.per_user_errors(predictions))
    return pd.concat(parts, ignore_index=True)


def _measure_again(result: Result, split: Split) -> Result:
    """Replace the per-user values of a kept run after the metrics changed."""
    values = measure(result.topk, result.predictions, split)
    values.to_parquet(result.folder / "per_user.tmp", index=False)
    os.replace(result.folder / "per_user.tmp", result.folder / "per_user.parquet")
    return _amended(result, measured_by=_measures())


def _amended(result: Result, **fields: Any) -> Result:
    """The same run with these fields in its manifest, replaced in one step."""
    (result.folder / "manifest.tmp").write_text(json.dumps({**result.manifest, **fields}, indent=1), encoding="utf-8")
    os.replace(result.folder / "manifest.tmp", result.folder / "manifest.json")
    return Result(result.folder, result.cached)


def run_all(
    names: Iterable[str], split: Split, seed: int = 0, watch: Callable[[str], None] = print
) -> dict[str, Result]:
    """:func:`run` for each name; ``watch`` gets one line a model: the time left, or that it was read."""
    names, results, started = list(names), {}, time.monotonic()
    for done, name in enumerate(names, start=1):
        results[name] = result = run(name, split, seed)
        left = (time.monotonic() - started) / done * (len(names) - done)
        told = told_cost(result) if result.cached else f"{told_cost(result)}, {left:.0f} s left"
        watch(f"{done}/{len(names)} {registry.entry(name).label}: {told}")
    return results


def told_cost(result: Result) -> str:
    """ "trained in 37.1 s", or that the run was there already: then nothing was trained now."""
    seconds = result.manifest["fit_seconds"]
    return f"read from cache ({seconds:.1f} s when trained)" if result.cached else f"trained in {seconds:.1f} s"


def kept_table(path: Path, make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """The Parquet table at ``path``, made first where there is none; the caller's path holds the key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.stem}.lock")):
        if not path.exists():
            part = path.with_suffix(".part")
            make().to_parquet(part, index=False)
            os.replace(part, path)
    return pd.read_parquet(path)


def choose(result: Result) -> Result:
    """Make this the run that answers for its model from now on (see :func:`preferred`)."""
    with lock(result.folder):
        return _amended(Result(result.folder, result.cached), chosen=time.time())


def preferred(name: str, dataset: str, protocol: str = "user_temporal") -> Result | None:
    """The finished run that answers for a model; None when there is none.

    The one chosen last; if none was, that of the lowest seed, which the pages show, with the committed settings;
    else of the lowest seed; of several such the last one made.
    """
    manifests = (settings.output_dir(dataset) / "runs" / protocol).glob(f"{name}-s*-*/manifest.json")
    committed = registry.create(name, dataset, protocol=protocol).params

    def rank(path: Path) -> tuple:
        # A file's time changes when a run is copied or measured again, so what the manifest says comes first.
        manifest = json.loads(path.read_text("utf-8"))
        usual = manifest["params"] == committed, -manifest["seed"]
        return manifest.get("chosen", 0), usual, manifest["finished"], path.stat().st_mtime_ns

    best = max(manifests, key=rank, default=None)
    return Result(best.parent) if best else None
