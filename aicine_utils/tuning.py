"""Search for parameters with Optuna: on validation only, resumable, several processes at one study.

Every model of a family gets the same number of trials. Winners are written to ``configs/tuned/<dataset>.yaml``,
which is committed; the default run reads them and searches nothing.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
import yaml

from aicine_utils import provenance, settings
from aicine_utils.errors import AicineError
from aicine_utils.metrics import evaluate, rating
from aicine_utils.models import registry
from aicine_utils.models.base import lists
from aicine_utils.splits import Split

HEADER = """# Winners of the search, written by `python -m aicine_utils tune --dataset {dataset}`.
# Ranges stand in configs/models; value is the winner's validation score; trials counts the defaults too.
"""
NO_WINNERS = ""  # no protocol: what is not searched keeps its default
Watch = Callable[[int, int, float], None]


@dataclass(frozen=True)
class Winner:
    """The best parameters of one study and how they were found."""

    params: dict[str, Any]
    metric: str
    value: float
    trials: int


def objective_of(name: str) -> str:
    """A rating model is tuned by RMSE, every other by NDCG@10; a list by mean rating is still a list."""
    row = registry.entry(name)
    return "rmse" if row.rates and row.family != "non_personalised" else "ndcg@10"


def score(name: str, split: Split, seed: int, **params: Any) -> float:
    """Validation score of one setting; ``split`` comes from :meth:`Split.for_validation`."""
    model = registry.create(name, split.info["dataset"], seed, NO_WINNERS, **params).fit(split)
    topk, predictions = lists(model, split, k=10)
    if objective_of(name) == "rmse":
        return rating.rmse(predictions)
    return float(evaluate.means(evaluate.evaluate(topk, split.relevant(split.test), ks=(10,)))["ndcg@10"])


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


def tune(name: str, split: Split, trials: int, seed: int = 0, watch: Watch = lambda done, of, best: None) -> Winner:
    """Search until the study of this model, split and code has ``trials`` finished trials; then name the winner.

    The first trial is the default setting; a later one whose training fails is left out. ``watch`` gets trials
    done, trials in all and the best value after each. Raises AicineError for a model that is unknown or has nothing to
    search, and what the default setting raises.
    """
    registry.entry(name)
    config = settings.model_config(name)
    search = config["search"]
    if not search:
        raise AicineError(f"Model {name} has nothing to search: configs/models/{name}.yaml has no `search` section.")
    study, held_out = _study(name, split, seed), split.for_validation()
    if not _finished(study):
        study.enqueue_trial({key: config["params"][key] for key in search})
    for _ in range(trials - len(_finished(study))):
        if len(_finished(study)) < trials:  # another process may have done the rest meanwhile
            _try_one(study, seed, lambda trial: score(name, held_out, seed, **suggest(trial, search)))
            watch(len(_finished(study)), trials, study.best_value)
    best = study.best_trial
    return Winner(readable(best.params), objective_of(name), round(best.value, 6), len(_finished(study)))


def _try_one(study: optuna.Study, seed: int, objective: Callable[[optuna.Trial], float]) -> None:
    """One trial. Its point follows from the seed, its number and the trials before it.

    So a search that was stopped goes on as if it had not been; a sampler that merely started anew from the same seed
    would ask for the same points again.
    """
    trial = study.ask()
    study.sampler = optuna.samplers.TPESampler(seed=seed * 10_000 + trial.number)
    try:
        study.tell(trial, objective(trial))
    except (AicineError, ArithmeticError):  # training diverged: something is no number
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
    label = f"{name}-{provenance.digest([split.hash, code, str(config), str(seed)])}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        storage = optuna.storages.JournalStorage(
            optuna.storages.journal.JournalFileBackend(str(folder / "journal.log"))
        )
    direction = "minimize" if objective_of(name) == "rmse" else "maximize"
    return optuna.create_study(study_name=label, storage=storage, direction=direction, load_if_exists=True)


def _finished(study: optuna.Study) -> list[Any]:
    return study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.COMPLETE])


def history(name: str, split: Split, seed: int = 0) -> list[dict[str, Any]]:
    """All finished trials of a study, one dictionary each: parameters and value."""
    return [{**readable(trial.params), "value": trial.value} for trial in _finished(_study(name, split, seed))]


def winners_file(dataset: str) -> Path:
    """Where the winners of one data set are kept."""
    return settings.CONFIGS / "tuned" / f"{dataset}.yaml"


def write_winners(dataset: str, protocol: str, winners: dict[str, Winner]) -> list[str]:
    """Merge winners into their file, below their protocol; names of those that were written.

    A kept winner of more trials stays: a short search must not undo a long one.
    """
    path, kept = winners_file(dataset), settings.tuned(dataset).get(protocol, {})
    written = [name for name, winner in winners.items() if winner.trials >= kept.get(name, {}).get("trials", 0)]
    if not written:
        return []
    own = {**kept, **{name: vars(winners[name]) for name in written}}
    ordered = {name: own[name] for name in registry.names() if name in own}
    text = yaml.safe_dump({**settings.tuned(dataset), protocol: ordered}, sort_keys=False)
    path.parent.mkdir(exist_ok=True)
    path.write_text(HEADER.format(dataset=dataset) + text, encoding="utf-8")
    settings.read_yaml.cache_clear()
    return written
