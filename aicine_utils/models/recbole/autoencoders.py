"""MultiVAE (Liang et al. 2018): a variational autoencoder of whole histories."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn

from aicine_utils.models.base import CHUNK, cosine
from aicine_utils.models.neural.training import Batch, device
from aicine_utils.models.recbole.base import library_class, multiple
from aicine_utils.models.recbole.general import GeneralModel
from aicine_utils.splits import Split


def by_rows(name: str) -> type[nn.Module]:
    """RecBole's autoencoder of that name, on rows of a sparse matrix instead of padded histories."""

    class ByRows(library_class(name)):
        def build_histroy_items(self, dataset: Any) -> None:  # RecBole spells it so
            self.histories = dataset.inter_matrix(form="csr")

        def get_rating_matrix(self, user: Tensor) -> Tensor:
            return rows(self.histories, user.cpu().numpy())

    return ByRows


def rows(matrix: sparse.csr_matrix, at: np.ndarray) -> Tensor:
    """These rows of a sparse matrix, float32 [len(at), n_items]."""
    return torch.from_numpy(matrix[at].toarray().astype(np.float32, copy=False)).to(device())


class Autoencoder(GeneralModel):
    """Scores are the decoder's output for the user's training history, one batch of users a step."""

    defaults: ClassVar[dict[str, Any]] = {
        **GeneralModel.defaults, "batch": 256, "learning_rate": 0.001, "hidden": 600, "latent_dimension": 128,
        "dropout_prob": 0.5, "anneal_cap": 0.2, "total_anneal_steps": 200_000,
    }  # fmt: skip

    def __init__(self, seed: int = 0, **params: Any) -> None:
        super().__init__(seed, **params)
        multiple(self, "latent_dimension", 2)  # as many means as spreads

    def _settings(self) -> dict[str, Any]:
        return {**super()._settings(), "mlp_hidden_size": [self.params["hidden"]], "train_neg_sample_args": None}

    def _module_class(self) -> type[nn.Module]:
        return by_rows(self.recbole)

    def _examples(self, split: Split) -> Batch:
        """RecBole's numbers of the users who have a liked training rating."""
        return (torch.from_numpy(1 + np.flatnonzero(np.diff(self.histories_.indptr))),)

    def _loss(self, module: nn.Module, users: Tensor) -> Tensor:
        return module.calculate_loss({module.USER_ID: users})

    def score_histories(self, histories: Sequence[Sequence[int]]) -> np.ndarray:
        """Scores for histories that were not in training; movies that the model does not know are passed over."""
        known = self.histories_matrix(histories).multiply(self.known_).tocsr()
        matrix = sparse.hstack([sparse.csr_matrix((len(histories), 1)), known], format="csr")
        parts = np.split(np.arange(len(histories)), range(CHUNK, len(histories), CHUNK))
        return np.concatenate([self._answer(lambda module, at=at: module(rows(matrix, at))[0])[:, 1:] for at in parts])

    def _similarity(self, column: int) -> np.ndarray:
        """Cosine between the decoder's last weights."""
        return cosine(self.decoder__2__weight_[1:], column)


class MultiVAE(Autoencoder):
    """Multinomial likelihood of a history from a latent vector, whose prior counts for ``anneal_cap`` at most."""

    recbole = "MultiVAE"
