"""Item k-NN with RecBole's own similarities."""

from aicine_utils.models import neighbours
from aicine_utils.models.recbole import compat
from aicine_utils.splits import Split


class ItemKNN(neighbours.ItemKNN):
    """score(u, i) = Σ over watched j of cos(i, j) where j is among the ``k`` nearest to i (Deshpande & Karypis 2004).

    The weights are computed by RecBole; which of equally near movies is the last kept is up to NumPy's partition.
    """

    libraries = ("torch", "recbole.config")

    def _fit(self, split: Split) -> None:
        self.histories_ = split.matrix(split.rated_from(self.params["liked"]))
        with compat.mended():
            from recbole.model.general_recommender.itemknn import ComputeSimilarity

            near = ComputeSimilarity(self.histories_, topk=self.params["k"], shrink=self.params["shrink"])
            self.weights_ = near.compute_similarity()[1].tocsr()
