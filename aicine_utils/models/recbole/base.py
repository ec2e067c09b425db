"""The adapter: a RecBole module behind the interface of our torch models."""

from typing import Any, ClassVar

from torch import Tensor, nn

from aicine_utils.errors import AicineError
from aicine_utils.models.base import Recommender
from aicine_utils.models.neural.base import TorchModel
from aicine_utils.models.neural.training import device
from aicine_utils.models.recbole import compat
from aicine_utils.models.recbole.ratings import Ratings


class RecBoleModel(TorchModel):
    """A model whose module is RecBole's.

    ``recbole`` is the library's own name of the model, whose defaults hold where ``params`` say nothing; ``renamed``
    has RecBole's names of our parameters. A subclass gives the module (``_module_class``), which is RecBole's class or
    a subclass that computes the same function faster.
    """

    recbole: ClassVar[str]
    libraries = ("torch", "recbole.config")
    renamed: ClassVar[dict[str, str]] = {}
    defaults: ClassVar[dict[str, Any]] = {**TorchModel.defaults}

    def _module_class(self) -> type[nn.Module]:
        """RecBole's class of the model, or a subclass."""
        return library_class(self.recbole)

    def _settings(self) -> dict[str, Any]:
        """What RecBole's Config is told: our parameters under its names."""
        return {self.renamed.get(name, name): value for name, value in self.params.items()}

    def _ratings(self) -> Ratings:
        """The data that the module is built on."""
        return Ratings(self.seen_)

    def _build(self) -> nn.Module:
        config = compat.config(self.recbole, self._settings())
        config["device"] = device()
        with compat.mended():
            return self._module_class()(config, self._ratings())

    def _grid(self, module: nn.Module, rows: Tensor) -> Tensor:
        """Scores [len(rows), n_movies] by RecBole's own ``full_sort_predict``, without padding."""
        scores = module.full_sort_predict(interaction(**{module.USER_ID: rows + 1}))
        return scores.view(len(rows), -1)[:, 1:]


def multiple(model: Recommender, name: str, of: int) -> None:
    """AicineError unless a parameter can be divided by ``of``; RecBole would fail with the shape of some tensor."""
    if model.params[name] % of:
        owner, value = type(model).__name__, model.params[name]
        raise AicineError(f"Parameter {name} of {owner}: {value} can't be divided by {of}. Choose a multiple of {of}.")


def library_class(name: str) -> type[nn.Module]:
    """RecBole's class of a model by its name, such as SASRec."""
    with compat.mended():
        from recbole.utils import get_model

        return get_model(name)


def interaction(**fields: Tensor) -> Any:
    """RecBole's Interaction of these tensors; fields are named as RecBole names them."""
    from recbole.data.interaction import Interaction

    return Interaction(fields)
