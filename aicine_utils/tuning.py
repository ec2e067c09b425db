"""Search for parameters with Optuna: on validation only, resumable, several processes at one study.

Every model is to get the same number of trials, or the same minutes where these end first; what each got stands with
its winner and is told below the leaderboard. A network stops on the validation ratings themselves, and the number of
passes that was best on them is part of its setting, so that nothing has to be held out later. Winners are written to
``configs/tuned/<dataset>.yaml``, which is committed; the default run reads them and searches nothing.
"""

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import optuna
import yaml
from filelock import FileLock

from aicine_utils import provenance, settings
from aicine_utils.errors import AicineError
from aicine_utils.files import write_text
from aicine_utils.metrics import evaluate, rating
from aicine_utils.models import registry
from aicine_utils.models.base import lists
from aicine_utils.splits import Split

HEADER = """# Winners of the search, written by `python -m aicine_utils tune --dataset {dataset}`.
# Ranges stand in configs/models; value is the winner's validation score; trials counts the defaults too, minutes what
# all of them took, limit after how many minutes no other began, save those known beforehand; stopped: time ended the
# training that counted the passes.
# What is not searched here has the winner of the data set after lent_by, if any; passes are counted anew.
"""
NO_WINNERS = ""  # no protocol: what is not searched keeps its default
Watch = Callable[[int, int, float], None]


@dataclass(frozen=True)
class Winner:
    """The best parameters of one study and how they were found.

    ``minutes`` is what all trials took together, None where that was not noted, and ``limit`` after how many no other
    trial began, None without a limit. ``curve`` has the validation value after each pass of its training, where passes
    were counted, and ``stopped`` is True where time ended that training, None where it did not. ``found_on`` names the
    data set whose search had found the setting that won here, None where this search found it.
    """

    params: dict[str, Any]
    metric: str
    value: float
    trials: int
    minutes: float | None = field(default=None, compare=False)
    limit: float | None = None
    curve: list[float] = field(default_factory=list)
    found_on: str | None = None
    stopped: bool | None = None


def objective_of(name: str) -> str:
    """A rating model is tuned by RMSE, every other by NDCG@10; a list by mean rating is still a list."""
    row = registry.entry(name)
    return "rmse" if row.rates and row.family != "non_personalised" else "ndcg@10"


def score(name: str, split: Split, seed: int, **params: Any) -> tuple[float, dict[str, Any]]:
    """Score of one setting on the validation ratings; and, of a model that counts passes, what these were.

    Of such a model: ``params`` with the passes, ``curve``, and ``stopped``, whether time ended the training.
    """
    model = registry.create(name, split.info["dataset"], seed, NO_WINNERS, **params)
    if model.counts_passes:
        value, found = model.fit(split).search_outcome()
        return value, {**found, "stopped": model.stopped_by_budget}
    held_out = split.for_validation()
    topk, predictions = lists(model.fit(held_out), held_out, k=10)
    if objective_of(name) == "rmse":
        return rating.rmse(predictions), {}
    found = evaluate.evaluate(topk, held_out.relevant(held_out.test), ks=(10,))
    return float(evaluate.means(found)["ndcg@10"]), {}


def suggest(trial: optuna.Trial, search: dict[str, Any]) -> dict[str, Any]:
    """One point of the space: ``name: [low, high]``, ``[low, high, log]`` or ``{choice: [...]}``."""
    point = {}
    for name, space in search.items():
        if isinstance(space, dict):
            point[name] = trial.suggest_categorical(name, space["choice"])
            continue
        low, high, log = space[0], space[1], "log" in space
        whole = isinstance(low, int) and isinstance(high, int)
        point[name] = (trial.suggest_int if whole else trial.suggest_float)(name, low, high, log=log)
    return readable(point)


def readable(point: dict[str, Any]) -> dict[str, Any]:
    """Numbers at four significant digits: what was tried is what a person reads in the winners' file."""
    return {name: float(f"{value:.4g}") if isinstance(value, float) else value for name, value in point.items()}


def tune(name: str, split: Split, trials: int, seed: int = 0, watch: Watch = lambda done, of, best: None,
         minutes: float = math.inf) -> Winner:  # fmt: skip
    """Search until the study of this model, split and code has ``trials`` finished trials; then name the winner.

    The first trial is the default setting, then come those that are known from elsewhere: in the model's configuration,
    and what another data set lends. After these no trial begins once those before it took so many ``minutes``: an equal
    budget for models of unequal cost. A later one whose training fails is left out. ``watch`` gets trials done, trials
    in all and the best value after each. Raises AicineError for a model that is unknown or has nothing to search, and
    what the default setting raises.
    """
    registry.entry(name)
    config = settings.model_config(name)
    search = config["search"]
    if not search:
        raise AicineError(f"Model {name} has nothing to search: configs/models/{name}.yaml has no `search` section.")
    study = _study(name, split, seed)
    if not _finished(study):
        _enqueue_known(study, config, settings.lent(name, split.info["dataset"], split.protocol))
    for _ in range(2 * trials):  # those that fail are replaced, but not without end
        if len(_finished(study)) >= trials or (_minutes(study) >= minutes and not _waiting(study)):
            break
        _try_one(study, seed, lambda trial: score(name, split, seed, **suggest(trial, search)))
        watch(len(_finished(study)), trials, study.best_value)
    best, found = study.best_trial, study.best_trial.user_attrs
    params = {**readable(best.params), **found.get("params", {})}
    curve = found.get("curve", [])
    tried = len(_finished(study)), round(_minutes(study), 1), minutes if math.isfinite(minutes) else None
    origin = found.get("found_on"), found.get("stopped") or None
    return Winner(params, objective_of(name), round(best.value, 6), *tried, curve, *origin)


def _enqueue_known(study: optuna.Study, config: dict[str, Any], lent: dict[str, Any]) -> None:
    """What is tried first: the defaults, what the model's configuration knows, and what another data set lends."""
    for own in ({}, *config["known"], lent.get("params", {})):
        point = {name: own.get(name, config["params"][name]) for name in config["search"]}
        origin = {"found_on": lent["lent_by"]} if lent and own is lent["params"] else {}
        study.enqueue_trial(point, user_attrs=origin, skip_if_exists=True)


def _try_one(study: optuna.Study, seed: int, objective: Callable[[optuna.Trial], tuple[float, dict]]) -> None:
    """One trial. Its point follows from the seed, its number and the trials before it.

    So a search that was stopped goes on as if it had not been; a sampler that merely started anew from the same seed
    would ask for the same points again.
    """
    trial = study.ask()
    study.sampler = optuna.samplers.TPESampler(seed=seed * 10_000 + trial.number)
    try:
        value, found = objective(trial)
        for name, content in found.items():
            trial.set_user_attr(name, content)
        study.tell(trial, value)
    except (AicineError, ArithmeticError, RuntimeError, ValueError):  # it diverged, or a library refused the setting
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
        if not _finished(study):
            raise


def _study(name: str, split: Split, seed: int) -> optuna.Study:
    """The study in its journal file, which several processes may share."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder = settings.output_dir(split.info["dataset"]) / "runs" / "tuning"
    folder.mkdir(parents=True, exist_ok=True)
    config = settings.model_config(name)
    code = provenance.source_of(registry.entry(name).model_class.__module__, within="aicine_utils.models")
    spaces = {part: config[part] for part in ("params", "search")}  # what is tried first is no other study
    label = f"{name}-{provenance.digest([split.hash, code, str(spaces), str(seed)])}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        storage = optuna.storages.JournalStorage(
            optuna.storages.journal.JournalFileBackend(str(folder / "journal.log"))
        )
    direction = "minimize" if objective_of(name) == "rmse" else "maximize"
    return optuna.create_study(study_name=label, storage=storage, direction=direction, load_if_exists=True)


def _finished(study: optuna.Study) -> list[Any]:
    return study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.COMPLETE])


def _waiting(study: optuna.Study) -> list[Any]:
    """Trials whose setting was known beforehand and that have not begun."""
    return study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.WAITING])


def _minutes(study: optuna.Study) -> float:
    """What all its trials took that have ended, those that failed among them."""
    ended = [trial.duration for trial in study.get_trials(deepcopy=False) if trial.duration is not None]
    return sum(spent.total_seconds() for spent in ended) / 60


def history(name: str, split: Split, seed: int = 0) -> list[dict[str, Any]]:
    """All finished trials of a study, one dictionary each: parameters and value."""
    return [{**readable(trial.params), "value": trial.value} for trial in _finished(_study(name, split, seed))]


class _ListsInRows(yaml.SafeDumper):
    """Writes a list in rows, not a line for each number."""

    def represent_list(self, numbers: list[float]) -> yaml.Node:
        return self.represent_sequence("tag:yaml.org,2002:seq", numbers, flow_style=True)


_ListsInRows.add_representer(list, _ListsInRows.represent_list)


def winners_file(dataset: str) -> Path:
    """Where the winners of one data set are kept."""
    return settings.CONFIGS / "tuned" / f"{dataset}.yaml"


def write_winners(dataset: str, protocol: str, winners: dict[str, Winner]) -> list[str]:
    """Merge winners into their file, below their protocol; names of those that were written.

    A kept winner of more trials stays: a short search must not undo a long one.
    """
    path, place = winners_file(dataset), settings.output_dir(dataset) / "runs"
    for folder in (path.parent, place):
        folder.mkdir(parents=True, exist_ok=True)
    with FileLock(place / ".winners.lock"):
        settings.read_yaml.cache_clear()  # another process may have written since
        written = _merge(path, dataset, protocol, winners)
        settings.read_yaml.cache_clear()
    return written


def _merge(path: Path, dataset: str, protocol: str, winners: dict[str, Winner]) -> list[str]:
    """The winners into the file, which is replaced in one step; names of those that were written."""
    kept = settings.tuned(dataset).get(protocol, {})
    written = [name for name, winner in winners.items() if winner.trials >= kept.get(name, {}).get("trials", 0)]
    if not written:
        return []
    own = {**kept, **{name: {k: v for k, v in vars(winners[name]).items() if v not in ([], None)} for name in written}}
    ordered = {name: own[name] for name in registry.names() if name in own}
    text = yaml.dump({**settings.tuned(dataset), protocol: ordered}, Dumper=_ListsInRows, sort_keys=False, width=120)
    write_text(path, HEADER.format(dataset=dataset) + text)
    return written
