"""Content-based k-NN: a vector a movie, the mean of what a user watched, the nearest movies.

TF-IDF and word2vec read the movie's own words (title, genres, decade), so they also place movies that nobody has
rated. Item2vec is the control: the same word2vec, but on what people watched together instead of words.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from aicine_utils import columns as c
from aicine_utils.models.base import Recommender
from aicine_utils.protocols import LIKED
from aicine_utils.splits import Split


def words(movies: pd.DataFrame, movie_ids: np.ndarray, genre_weight: int) -> list[list[str]]:
    """Each movie as a list of words: title in lower case, genres repeated ``genre_weight`` times, decade.

    A movie without a row is an empty list.
    """
    known = movies.set_index(c.MOVIE).reindex(movie_ids)
    titles = known[c.TITLE].fillna("").str.lower().str.findall(r"[^\W_]+")
    decades = known[c.YEAR].map(lambda year: [f"decade:{int(year) // 10 * 10}"] if pd.notna(year) else [])
    genres = known[c.GENRES].map(
        lambda names: [f"genre:{g}" for g in names] if isinstance(names, list | np.ndarray) else []
    )
    return [t + g * genre_weight + d for t, g, d in zip(titles, genres, decades, strict=True)]


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """Rows scaled to length 1; zero rows stay zero."""
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-12)


def centred(vectors: np.ndarray) -> np.ndarray:
    """Rows minus their mean; rows of zeros (movies of which nothing is known) have no part in it and stay zero.

    What all movies share makes those nearest to the centre near to everyone: hubs, which then fill all lists
    (Radovanović et al. 2010). Taking the mean away is the simplest cure (Suzuki et al. 2013).
    """
    known = vectors.any(axis=1, keepdims=True)
    return (vectors - vectors.sum(axis=0) / max(known.sum(), 1)) * known


class VectorKNN(Recommender):
    """score(u, i) = cosine between movie i and the mean vector of u's movies; a subclass makes the vectors.

    Only movies that the user rated from ``liked`` up, a place on the rating scale, enter the mean.
    ``centred``: subtract the mean of all movies from each unit vector first (see :func:`centred`).
    """

    defaults: ClassVar[dict[str, Any]] = {"liked": LIKED, "centred": True}

    def _fit(self, split: Split) -> None:
        vectors = unit_rows(self._vectors(split))
        if self.params["centred"]:
            vectors = unit_rows(centred(vectors))
        self.vectors_ = vectors.astype(np.float32)
        liked = split.rated_from(self.params["liked"])
        self.profiles_ = self._profiles(split.matrix(liked))

    def _vectors(self, split: Split) -> np.ndarray:
        """One vector a movie, [n_movies, dimension]."""
        raise NotImplementedError

    def _profiles(self, histories: Any) -> np.ndarray:
        return unit_rows(histories @ self.vectors_)

    def _score(self, rows: np.ndarray) -> np.ndarray:
        return self.profiles_[rows] @ self.vectors_.T

    def score_histories(self, histories: list) -> np.ndarray:
        """Cosine to the mean of any history; an empty one scores zero everywhere."""
        return self._profiles(self.histories_matrix(histories)) @ self.vectors_.T

    def _similarity(self, column: int) -> np.ndarray:
        return self.vectors_ @ self.vectors_[column]


class ContentTfidf(VectorKNN):
    """TF-IDF of a movie's words; words that stand in fewer than ``min_count`` movies are left out."""

    libraries = ("sklearn.feature_extraction.text",)
    defaults: ClassVar[dict[str, Any]] = {**VectorKNN.defaults, "genre_weight": 2, "min_count": 2}

    def _vectors(self, split: Split) -> np.ndarray:
        from sklearn.feature_extraction.text import TfidfVectorizer

        bags = words(split.movies, self.movie_ids_, self.params["genre_weight"])
        vectoriser = TfidfVectorizer(analyzer=lambda bag: bag, min_df=self.params["min_count"], sublinear_tf=True)
        try:
            return vectoriser.fit_transform(bags).toarray()
        except ValueError:  # no word stands in two movies: every movie is as near as any other
            return np.zeros((len(bags), 1))


class ContentWord2Vec(VectorKNN):
    """word2vec trained on the movies' words as sentences; a movie is the mean of its words' vectors."""

    libraries = ("gensim.models",)
    defaults: ClassVar[dict[str, Any]] = {
        **VectorKNN.defaults, "genre_weight": 1, "dimension": 64, "window": 10, "epochs": 30, "min_count": 2,
        "learning_rate": 0.1,
    }  # fmt: skip

    def _vectors(self, split: Split) -> np.ndarray:
        bags = words(split.movies, self.movie_ids_, self.params["genre_weight"])
        counts = Counter(word for bag in bags for word in bag)
        if max(counts.values(), default=0) < self.params["min_count"]:  # nothing to learn from
            return np.zeros((len(bags), 1))
        vectors = train_word2vec(bags, self.params, self.seed)
        return np.stack([vectors.get_mean_vector(bag or [""]) for bag in bags])


class Item2Vec(VectorKNN):
    """word2vec on each user's movies: collaborative, in the dress of content.

    A history is a set here, as in Barkan & Koenigstein 2016 (section 3): it is shuffled anew each epoch, so that a
    narrow window samples all pairs. MovieLens' order within a sitting is partly the order of its own pages.
    """

    libraries = ("gensim.models",)
    defaults: ClassVar[dict[str, Any]] = {
        **VectorKNN.defaults, "centred": False, "dimension": 32, "window": 10, "epochs": 20, "min_count": 3,
        "learning_rate": 0.1,
    }  # fmt: skip

    def _vectors(self, split: Split) -> np.ndarray:
        movies = split.train[c.MOVIE].astype(str).to_numpy()
        starts = np.flatnonzero(np.diff(split.train[c.USER].to_numpy())) + 1
        vectors = train_word2vec(Shuffled(np.split(movies, starts), self.seed), self.params, self.seed)
        return np.stack([vectors.get_mean_vector([str(movie)]) for movie in self.movie_ids_])


class Shuffled:
    """Sentences that come in a new order of words each time they are read; the seed fixes all orders."""

    def __init__(self, sentences: Sequence[np.ndarray], seed: int) -> None:
        self.sentences, self.rng = sentences, np.random.default_rng(seed)

    def __iter__(self) -> Iterator[list[str]]:
        for sentence in self.sentences:
            yield self.rng.permutation(sentence).tolist()


def train_word2vec(sentences: Iterable[list[str]], params: dict[str, Any], seed: int) -> Any:
    """gensim's skip-gram vectors; one worker, so that the same seed gives the same vectors."""
    from gensim.models import Word2Vec

    model = Word2Vec(
        sentences, vector_size=params["dimension"], window=params["window"], min_count=params["min_count"],
        epochs=params["epochs"], alpha=params["learning_rate"], sg=1, seed=seed, workers=1,
    )  # fmt: skip
    return model.wv
