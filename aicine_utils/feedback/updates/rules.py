"""Which update a model gets: one row for each class, the nearest in the order of inheritance holds.

The rules stand here and not in the models' own modules, because a run's key holds the source of these: changing a
module under ``models`` would throw away every cached run of its models.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from aicine_utils.errors import AicineError
from aicine_utils.feedback.updates import growing
from aicine_utils.feedback.updates.change import Change
from aicine_utils.models.base import Recommender


@dataclass(frozen=True)
class Rule:
    """How the models of one class are updated.

    target: "module:Class" below ``aicine_utils.models``, with its subclasses; function: "module:function" below
    ``feedback.updates``, "" where there is none. exact: lists equal a refit's. grows: movies without a training rating
    so far can be recommended at once; otherwise they wait for the next refit. prepare: what the first update would do
    once, "module:function", if anything.
    """

    target: str
    function: str
    exact: bool
    grows: bool
    how: str
    prepare: str = ""

    def __call__(self, model: Recommender, old: Recommender, change: Change) -> None:
        """Let ``model``, a copy of ``old`` with the vocabulary, histories and views of after, learn the change."""
        _named(self.function)(model, old, change)


MEANS = "takes the means of these people's movies again"
PAIRS = "adds to the counts of pairs, and looks up the neighbours that can have changed"
READS = "reads the longer history with the same weights"
FOLDS = "solves the vectors of these people, and of new movies, with all others fixed"
TUNES = "passes a few times over the new ratings and a sample of the old"
PARTIAL = "fit_partial on these people and a sample of the others"

RULES = [
    Rule("popularity:Random", "counts:nothing", True, True, "knows only how many movies there are"),
    Rule("popularity:Popularity", "counts:likes", True, True, "adds the new likes to the counts"),
    Rule("popularity:Views", "counts:views", True, True, "adds the new ratings to the counts"),
    Rule("popularity:MeanRating", "counts:mean_rating", True, True, "adds the new stars to the sums"),
    Rule("popularity:RecentPopularity", "counts:fading", True, True, "lets old counts fade and adds the new"),
    Rule("popularity:GroupPopularity", "counts:again", True, True, "counts each group's views again"),
    Rule("content:ContentTfidf", "content:tfidf", True, True, MEANS),
    Rule("content:ContentWord2Vec", "content:described", True, True, MEANS),
    Rule("content:Item2Vec", "content:profiles", False, False, f"{MEANS}; vectors wait"),
    Rule("neighbours:UserKNN", "neighbours:user_knn", True, True, "looks up the neighbours that can have changed"),
    Rule("neighbours:ItemKNN", "neighbours:item_knn", True, True, PAIRS, "neighbours:prepare"),
    Rule("recbole.item_knn:ItemKNN", "neighbours:item_knn", False, True, f"{PAIRS}; ties aside", "neighbours:prepare"),
    Rule("surprise_knn:KNNWithMeans", "stars:knn_means", False, False, "reads the new ratings; similarities wait"),
    Rule("surprise_knn:KNNBaseline", "stars:knn_baseline", False, False, "reads the new ratings; similarities wait"),
    Rule("factorisation:Baseline", "folding:baseline", False, True, "solves the biases of these people and movies"),
    Rule("factorisation:SVD", "folding:svd", False, True, FOLDS),
    Rule("factorisation:SVDpp", "folding:svdpp", False, True, FOLDS),
    Rule("factorisation:NMF", "folding:nmf", False, True, FOLDS),
    Rule("factorisation:SlopeOne", "stars:slope_one", True, True, "adds to the sums of differences of pairs"),
    Rule("implicit_als:ImplicitALS", "folding:ials", False, True, FOLDS),
    Rule("linear:EASE", "linear:low_rank", True, True, "updates its inverse by a matrix of low rank", "linear:prepare"),
    Rule("blend:Blend", "members:each", False, True, "updates each member; weights wait", "members:prepare"),
    Rule("hybrid:LightFM", "hybrid:fit_partial", False, True, PARTIAL),
    *(Rule(f"neural.factorisation:{name}Factorisation", "neural:tuned", False, True, TUNES) for name in
      ("Rating", "Ranking")),
    *(Rule(f"neural.perceptron:{name}", "neural:tuned", False, True, TUNES) for name in ("MLP", "NeuMF")),
    *(Rule(f"recbole.{name}", "neural:tuned", False, True, TUNES) for name in
      ("bpr:BPR", "lightgcn:LightGCN", "simplex:SimpleX")),
    *(Rule(f"recbole.{name}", "neural:whole", False, False, READS) for name in ("autoencoders:MultiVAE", "ract:RaCT")),
    Rule("neural.recurrent:GRU", "neural:sequence", False, False, READS),
    *(Rule(f"recbole.{name}", "neural:sequence", False, False, READS) for name in
      ("sasrec:SASRec", "bert4rec:BERT4Rec", "narm:NARM", "caser:Caser", "srgnn:SRGNN")),
]  # fmt: skip

_BY_TARGET = {rule.target: rule for rule in RULES}


def of(model: Recommender) -> Rule:
    """The rule of a model's class, or of the nearest that it inherits from; AicineError if it has none."""
    bases = type(model).__mro__
    names = (f"{base.__module__.removeprefix('aicine_utils.models.')}:{base.__name__}" for base in bases)
    rule = next((rule for rule in map(for_target, names) if rule), None)
    if rule is None:
        raise AicineError(f"{bases[0].__name__} has no update for new interactions. Fit it again with update.refit.")
    return rule


def learned(model: Recommender, change: Change) -> Recommender:
    """A copy of ``model`` that has learned the change by the rule of its class."""
    rule, new = of(model), growing.grown(model, change)
    if rule.grows:
        new.known_ = new.views_ > 0
    rule(new, model, change)
    return new


def for_target(target: str) -> Rule | None:
    """The rule of a class "module:Class" of the registry, found without importing it; None where there is none."""
    return _BY_TARGET.get(target)


def prepare(model: Recommender) -> None:
    """Do what a rule would do once at its first update."""
    if of(model).prepare:
        _named(of(model).prepare)(model)


def _named(function: str) -> Callable[..., None]:
    """A function of a module that is imported only now: rules of torch models need torch."""
    module, name = function.split(":")
    return getattr(import_module(f"aicine_utils.feedback.updates.{module}"), name)
