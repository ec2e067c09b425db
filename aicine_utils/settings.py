"""Where things lie, the presets, and the settings of each model; all read from YAML beside this file."""

import hashlib
import json
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from aicine_utils.errors import AicineError, unknown

CONFIGS = Path(__file__).parent / "configs"
ROOT = Path(__file__).resolve().parents[1]
PRIMARY = "user_temporal"  # the split on which every model is run


def home() -> Path:
    """Where ``data/`` and ``outputs/`` lie: the working copy, unless ``AICINE_HOME`` moves them (tests do)."""
    return Path(os.environ.get("AICINE_HOME", ROOT))


def data_dir() -> Path:
    """Folder for downloads, Parquet copies and splits."""
    return home() / "data"


def output_dir(dataset: str) -> Path:
    """Folder with the report, tables and runs of one data set."""
    return home() / "outputs" / dataset


@cache
def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML mapping; an error that names file and line when it can't be parsed."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise AicineError(f"{path.name}: not valid YAML ({error}). Mend the line or restore the file.") from error
    return content or {}


@dataclass(frozen=True)
class Preset:
    """How much work a run does. Same notebooks, same code path, other sizes."""

    name: str
    dataset: str
    resamples: int
    trials: int
    folds: int
    minutes: float
    seed_seconds: float
    split_seconds: float
    windows: int
    rounds: int
    services: int


def preset(name: str) -> Preset:
    """The preset of that name from ``configs/presets.yaml``."""
    presets = read_yaml(CONFIGS / "presets.yaml")
    if name not in presets:
        raise unknown("preset", name, presets)
    return Preset(name=name, **presets[name])


def preset_for(dataset: str) -> str:
    """The preset that suits a data set when none is named: mock, quick (ml-100k and smaller), else full."""
    presets = read_yaml(CONFIGS / "presets.yaml")
    own = [name for name, content in presets.items() if content["dataset"] == dataset]
    return own[0] if own else ("quick" if dataset in {"ml-latest-small"} else "full")


def model_config(name: str) -> dict[str, Any]:
    """``params`` (defaults), ``search`` (ranges) and ``known`` (settings to try first, such as the library's own) from
    ``configs/models/NAME.yaml``.
    """
    path = CONFIGS / "models" / f"{name}.yaml"
    content = read_yaml(path) if path.exists() else {}
    return {part: content.get(part) or empty for part, empty in (("params", {}), ("search", {}), ("known", []))}


def tuned(dataset: str) -> dict[str, Any]:
    """Committed winners of the search on one data set, by protocol and model; empty where nothing was searched.

    ``lent_by``, beside the protocols, names another data set whose winners serve where this one has none.
    """
    path = CONFIGS / "tuned" / f"{dataset}.yaml"
    return read_yaml(path) if path.exists() else {}


def winner(name: str, dataset: str, protocol: str) -> dict[str, Any]:
    """The committed winner of a model's search on this data set under this protocol; empty where there is none.

    One protocol's validation ratings are another's test ratings, so a winner serves its own protocol only. One that is
    ``lent_by`` another data set says so, and has no number of passes: other ratings need others.
    """
    return tuned(dataset).get(protocol, {}).get(name) or lent(name, dataset, protocol)


def search_behind(name: str, dataset: str, protocol: str, params: dict[str, Any]) -> dict[str, Any]:
    """The winner whose settings a run's ``params`` hold; empty where they are defaults, or were set for that run.

    A finalist that is measured under another split keeps the settings of the usual one's search.
    """
    for searched in (protocol, PRIMARY):
        found = winner(name, dataset, searched)
        if found and found["params"].items() <= params.items():
            return found
    return {}


def lent(name: str, dataset: str, protocol: str) -> dict[str, Any]:
    """The winner on the data set that lends its own to this one, and ``lent_by``: which that is; else empty."""
    lender = tuned(dataset).get("lent_by")
    found = winner(name, lender, protocol) if lender else {}
    if not found:
        return {}
    params = {key: value for key, value in found["params"].items() if not key.endswith("passes")}
    spent = {name: found[name] for name in ("trials", "minutes", "limit") if name in found}
    return {"params": params, **spent, "lent_by": lender}


def model_params(name: str, dataset: str, protocol: str) -> dict[str, Any]:
    """Parameters that a run uses: the defaults, then the committed winner for this data set and protocol.

    A network's ``minutes`` are those of the data set's preset.
    """
    defaults = model_config(name)["params"]
    limit = {"minutes": float(preset(preset_for(dataset)).minutes)} if dataset and "minutes" in defaults else {}
    return {**defaults, **limit, **winner(name, dataset, protocol).get("params", {})}


def of_models(dataset: str) -> str:
    """Digest of the configurations that decide what a model learns from a data set: not of a sentence or comment, of
    how a winner was found, nor of a search on other data, save those that lend their winners.
    """
    files = [*sorted((CONFIGS / "models").glob("*.yaml")), CONFIGS / "presets.yaml", CONFIGS / "signals.yaml"]
    read = {path.name: read_yaml(path) for path in files if path.exists()}
    content = [read, _won(dataset), _won(tuned(dataset).get("lent_by", ""))]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


def _won(dataset: str) -> dict[str, Any]:
    """The settings of each winner on a data set, by protocol and model."""
    protocols = {name: found for name, found in tuned(dataset).items() if isinstance(found, dict)}
    return {name: {model: own["params"] for model, own in found.items()} for name, found in protocols.items()}


def fingerprint(folder: str) -> str:
    """Digest of every file below a folder of the package that is not Python: configurations, templates, assets."""
    files = sorted((Path(__file__).parent / folder).rglob("*"))
    digest = hashlib.sha256()
    for path in files:
        if path.is_file() and path.suffix not in {".py", ".pyc"}:
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]
