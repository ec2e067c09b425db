"""Every model of the study, one row each. Reading the list imports no model and no library."""

from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from aicine_utils import settings
from aicine_utils.errors import unknown
from aicine_utils.models.base import Recommender


@dataclass(frozen=True)
class Entry:
    """What a reader may want to know of a model before it is trained.

    target: "module:Class" below ``aicine_utils.models``; draws: whether it draws at random, so that its seed matters;
    fixed: parameters that make it this row.
    """

    name: str
    family: str
    label: str
    target: str
    citation: str
    rates: bool = False
    new_users: bool = False
    new_movies: bool = False
    features: bool = False
    sequential: bool = False
    draws: bool = True
    fixed: dict[str, Any] = field(default_factory=dict)

    @property
    def model_class(self) -> type[Recommender]:
        """The class, imported now."""
        module, name = self.target.split(":")
        return getattr(import_module(f"aicine_utils.models.{module}"), name)


FAMILIES = {
    "non_personalised": "Non-personalised",
    "content_based": "Content-based",
    "neighbourhood": "Neighbourhood",
    "matrix_factorisation": "Matrix factorisation",
    "linear": "Linear",
    "hybrid": "Hybrid",
    "blend": "Blend",
    "neural": "Neural",
    "recbole_general": "RecBole, general",
    "recbole_sequential": "RecBole, sequential",
}

_POP, _CB, _KNN, _MF, _LIN, _HYB, _BLEND, _NEURAL, _RB, _RB_SEQ = FAMILIES
_KOREN = "Koren 2010, Factor in the neighbors"
_WARP = "Kula 2015; Weston et al. 2011"

ENTRIES = [
    Entry("random", _POP, "Random", "popularity:Random", "control", new_users=True),
    Entry("popularity", _POP, "Most liked", "popularity:Popularity", "count of ratings three quarters up the scale and more", new_users=True, draws=False),
    Entry("views", _POP, "Most watched", "popularity:Views", "count of ratings", new_users=True, draws=False),
    Entry("mean_rating", _POP, "Best rated (with a prior)", "popularity:MeanRating", "Bayesian average", rates=True, new_users=True, draws=False),
    Entry("recent_popularity", _POP, "Most watched lately", "popularity:RecentPopularity", "Ji et al. 2020, A re-visit of the popularity baseline", new_users=True, draws=False),
    Entry("group_popularity", _POP, "Most watched in the group", "popularity:GroupPopularity", "popularity by gender and age group", new_users=True, features=True, draws=False),
    Entry("content_tfidf", _CB, "Content, TF-IDF", "content:ContentTfidf", "Salton & Buckley 1988; Lops et al. 2011", new_users=True, new_movies=True, features=True, draws=False),
    Entry("content_word2vec", _CB, "Content, word2vec", "content:ContentWord2Vec", "Mikolov et al. 2013", new_users=True, new_movies=True, features=True),
    Entry("item2vec", _CB, "Item2vec on histories", "content:Item2Vec", "Barkan & Koenigstein 2016", new_users=True),
    Entry("user_knn", _KNN, "User k-NN", "neighbours:UserKNN", "Herlocker et al. 1999", new_users=True, draws=False),
    Entry("item_knn", _KNN, "Item k-NN", "neighbours:ItemKNN", "Deshpande & Karypis 2004", new_users=True, draws=False),
    Entry("knn_means", _KNN, "k-NN with means (Surprise)", "surprise_knn:KNNWithMeans", "Herlocker et al. 1999", rates=True, draws=False),
    Entry("knn_baseline", _KNN, "k-NN baseline (Surprise)", "surprise_knn:KNNBaseline", _KOREN, rates=True, draws=False),
    Entry("baseline", _MF, "Baseline (Surprise)", "factorisation:Baseline", _KOREN, rates=True, draws=False),
    Entry("svd", _MF, "SVD (Surprise)", "factorisation:SVD", "Koren et al. 2009; Funk 2006", rates=True),
    Entry("svdpp", _MF, "SVD++ (Surprise)", "factorisation:SVDpp", "Koren 2008", rates=True),
    Entry("nmf", _MF, "NMF (Surprise)", "factorisation:NMF", "Luo et al. 2014", rates=True),
    Entry("slope_one", _MF, "Slope One (Surprise)", "factorisation:SlopeOne", "Lemire & Maclachlan 2005", rates=True, draws=False),
    Entry("co_clustering", _MF, "Co-clustering (Surprise)", "factorisation:CoClustering", "George & Merugu 2005", rates=True),
    Entry("ials", _MF, "iALS", "implicit_als:ImplicitALS", "Hu et al. 2008; Rendle et al. 2022", new_users=True),
    Entry("ease", _LIN, "EASE", "linear:EASE", "Steck 2019", new_users=True, draws=False),
    Entry("lightfm_ids", _HYB, "LightFM, ids alone", "hybrid:LightFM", _WARP, new_users=True, fixed={"loss": "warp", "features": "ids"}),
    Entry("lightfm_movies", _HYB, "LightFM, films described", "hybrid:LightFM", _WARP, new_users=True, new_movies=True, features=True, fixed={"loss": "warp", "features": "movies"}),
    Entry("lightfm_users", _HYB, "LightFM, people described", "hybrid:LightFM", _WARP, new_users=True, features=True, fixed={"loss": "warp", "features": "users"}),
    Entry("lightfm_both", _HYB, "LightFM, both described", "hybrid:LightFM", _WARP, new_users=True, new_movies=True, features=True, fixed={"loss": "warp", "features": "both"}),
    Entry("lightfm_bpr", _HYB, "LightFM, both, BPR", "hybrid:LightFM", "Kula 2015; Rendle et al. 2009", new_users=True, new_movies=True, features=True, fixed={"loss": "bpr", "features": "both"}),
    Entry("lightfm_logistic", _HYB, "LightFM, both, logistic", "hybrid:LightFM", "Kula 2015", new_users=True, new_movies=True, features=True, fixed={"loss": "logistic", "features": "both"}),
    Entry("blend", _BLEND, "Blend", "blend:Blend", "Fox & Shaw 1994; weights by validation", new_users=True),
    Entry("torch_mf", _NEURAL, "MF for stars (torch)", "neural.factorisation:RatingFactorisation", "Koren et al. 2009", rates=True),
    Entry("torch_mf_rank", _NEURAL, "MF for lists (torch)", "neural.factorisation:RankingFactorisation", "Rendle et al. 2009; Bengio & Senécal 2008"),
    Entry("mlp", _NEURAL, "MLP for stars", "neural.perceptron:MLP", "He et al. 2017", rates=True),
    Entry("neumf", _NEURAL, "NeuMF", "neural.perceptron:NeuMF", "He et al. 2017"),
    Entry("gru", _NEURAL, "GRU", "neural.recurrent:GRU", "Hidasi et al. 2016", new_users=True, sequential=True),
    Entry("recbole_item_knn", _RB, "Item k-NN (RecBole)", "recbole.item_knn:ItemKNN", "Deshpande & Karypis 2004", new_users=True, draws=False),
    Entry("bpr", _RB, "BPR", "recbole.bpr:BPR", "Rendle et al. 2009"),
    Entry("lightgcn", _RB, "LightGCN", "recbole.lightgcn:LightGCN", "He et al. 2020"),
    Entry("simplex", _RB, "SimpleX", "recbole.simplex:SimpleX", "Mao et al. 2021"),
    Entry("multivae", _RB, "MultiVAE", "recbole.autoencoders:MultiVAE", "Liang et al. 2018", new_users=True),
    Entry("ract", _RB, "RaCT", "recbole.ract:RaCT", "Lobel et al. 2020", new_users=True),
    Entry("sasrec", _RB_SEQ, "SASRec", "recbole.sasrec:SASRec", "Kang & McAuley 2018", new_users=True, sequential=True),
    Entry("bert4rec", _RB_SEQ, "BERT4Rec", "recbole.bert4rec:BERT4Rec", "Sun et al. 2019", new_users=True, sequential=True),
    Entry("narm", _RB_SEQ, "NARM", "recbole.narm:NARM", "Li et al. 2017", new_users=True, sequential=True),
    Entry("caser", _RB_SEQ, "Caser", "recbole.caser:Caser", "Tang & Wang 2018", new_users=True, sequential=True),
    Entry("srgnn", _RB_SEQ, "SR-GNN", "recbole.srgnn:SRGNN", "Wu et al. 2019", new_users=True, sequential=True),
]  # fmt: skip

_BY_NAME = {entry.name: entry for entry in ENTRIES}


def names(family: str | None = None) -> list[str]:
    """Names of all models, or of one family, in the order of the report."""
    if family is not None and family not in FAMILIES:
        raise unknown("family", family, FAMILIES)
    return [entry.name for entry in ENTRIES if family in (None, entry.family)]


def entry(name: str) -> Entry:
    """The row of one model; AicineError names the nearest when there is none."""
    if name not in _BY_NAME:
        raise unknown("model", name, _BY_NAME)
    return _BY_NAME[name]


def create(name: str, dataset: str, seed: int = 0, protocol: str = "user_temporal", **overrides: Any) -> Recommender:
    """An unfitted model with its defaults, the committed winner for ``dataset`` and ``protocol``, then ``overrides``.

    The winner's number of passes was counted for its own settings: with any other it is counted anew.
    """
    row = entry(name)
    params = {**settings.model_params(name, dataset, protocol), **row.fixed}
    if overrides and "passes" in params:
        params["passes"] = 0
    params |= overrides
    return row.model_class(seed=seed, **params)
