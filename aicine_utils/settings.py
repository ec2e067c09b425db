"""Where things lie, the presets, and the settings of each model; all read from YAML beside this file."""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from aicine_utils.errors import AicineError, unknown

CONFIGS = Path(__file__).parent / "configs"
ROOT = Path(__file__).resolve().parents[1]


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


def lent(name: str, dataset: str, protocol: str) -> dict[str, Any]:
    """The winner on the data set that lends its own to this one, and ``lent_by``: which that is; else empty."""
    lender = tuned(dataset).get("lent_by")
    found = winner(name, lender, protocol) if lender else {}
    if not found:
        return {}
    params = {key: value for key, value in found["params"].items() if key != "passes"}
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
    """Digest of the configurations that decide what a model learns from a data set: not of a sentence, nor of a search
    on other data, save those that lend their winners.
    """
    lender = tuned(dataset).get("lent_by")
    names = [dataset, *([lender] if lender else [])]
    files = [*sorted((CONFIGS / "models").glob("*.yaml")), CONFIGS / "presets.yaml", CONFIGS / "signals.yaml",
             *(CONFIGS / "tuned" / f"{name}.yaml" for name in names)]  # fmt: skip
    return _digest(path for path in files if path.exists())


def fingerprint(folder: str) -> str:
    """Digest of every file below a folder of the package that is not Python: configurations, templates, assets."""
    files = sorted((Path(__file__).parent / folder).rglob("*"))
    return _digest(path for path in files if path.is_file() and path.suffix not in {".py", ".pyc"})


def _digest(files: Iterable[Path]) -> str:
    """Twelve hex digits of the sha256 of names and contents."""
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]
