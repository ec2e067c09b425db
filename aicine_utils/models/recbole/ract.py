"""RaCT (Lobel et al. 2020): an autoencoder, trained further by a critic that learned to tell NDCG from the loss."""

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from aicine_utils.models.neural.base import stopped_by_budget
from aicine_utils.models.neural.training import Batch, Curve, Plan, best_epoch, device, train
from aicine_utils.models.recbole.autoencoders import Autoencoder, by_rows
from aicine_utils.parameters import NOT_NEGATIVE, Range
from aicine_utils.splits import Split

# What RecBole calls a stage, and the parts of the module that it trains.
STAGES = {
    "actor": ("actor_pretrain", ("encoder", "decoder")),
    "critic": ("critic_pretrain", ("critic_net",)),
    "joint": ("finetune", ("encoder", "decoder")),
}
CRITIC_PASSES = 300  # most passes of the critic: time is not worth more where four batches hold everyone
TIME = {"actor": 0.5, "critic": 0.2, "joint": 0.3}  # shares of ``minutes``


def staged() -> type[nn.Module]:
    """RecBole's RaCT, which passes from stage to stage in memory and measures a batch's NDCG at once.

    One thing differs: in the last stage the critic is fixed, as the paper has it. RecBole's goes on to normalise each
    batch by its own mean, so that lowering the loss of all users earns nothing; the lists get worse with every pass.
    """

    class Staged(by_rows("RaCT")):
        def enter(self, stage: str, advice: bool = True) -> None:
            """What RecBole does by a file and a new module: other parts learn, and annealing begins again.

            Without ``advice`` the last stage goes on with the loss of the first.
            """
            self.train_stage, learning = STAGES[stage if advice else "actor"]
            self.update = 0
            for name, weights in self.named_parameters():
                weights.requires_grad_(name.startswith(learning))

        def train(self, mode: bool = True) -> nn.Module:
            super().train(mode)
            if self.train_stage == STAGES["joint"][0]:
                self.critic_net.eval()
            return self

        def calculate_ndcg(self, predict_matrix: Tensor, true_matrix: Tensor, input_matrix: Tensor, k: int) -> Tensor:
            return ndcg(predict_matrix, true_matrix, input_matrix, k)

    return Staged


def ndcg(scores: Tensor, wanted: Tensor, read: Tensor, k: int) -> Tensor:
    """RecBole's NDCG@k [n] of ``scores`` [n, n_items] for the ``wanted`` items, those in ``read`` left out.

    Its gain is the value in ``wanted`` and its ideal counts ones, at least .1: a target for the critic, no measure.
    """
    k = min(k, scores.shape[1])
    top = scores.masked_fill(read != 0, -torch.inf).topk(k).indices
    discount = 1 / torch.arange(2, k + 2, device=scores.device, dtype=wanted.dtype).log2()
    ideal = torch.cat([discount.new_zeros(1), discount.cumsum(0)])[(wanted > 0).sum(1).clamp(max=k)]
    return (wanted.gather(1, top) * discount).sum(1) / ideal.clamp(min=0.1)


class RaCT(Autoencoder):
    """Three stages in one fit: the autoencoder alone, its critic alone, the autoencoder on what the critic says.

    ``curve`` has a column ``stage`` and goes on from stage to stage, and one of the stage's ``steps`` so far; the
    critic's passes leave the lists, and so their NDCG, as they were. It needs more than a thousand steps: before, it
    takes a large loss, which long histories have, for the sign of a good list. The weights kept are those of the last
    stage's best pass. ``passes`` are those of the first stage, ``joint_passes`` of the last, as they were best on
    validation in the search. Without ``advice`` there is no critic, and the last stage trains the autoencoder alone,
    for comparison: with the same batches and the same films hidden, since each stage begins from the seed.
    """

    recbole = "RaCT"
    ranges: ClassVar[dict[str, Range]] = {"batch": Range(2), "joint_passes": NOT_NEGATIVE}
    defaults: ClassVar[dict[str, Any]] = {
        **Autoencoder.defaults, "latent_dimension": 256, "critic_steps": 1200, "joint_epochs": 20, "joint_passes": 0,
        "joint_rate": 0.0001, "metrics_k": 100, "advice": True,
    }  # fmt: skip

    def search_outcome(self) -> tuple[float, dict[str, Any]]:
        """The last stage's best validation value; the passes of both stages that gave it, and the values of both."""
        parts = {stage: self._part(stage) for stage in ("actor", "joint")}
        passes, last = (best_epoch(part, self.stops_on) for part in parts.values())
        curve = [round(row[self.stops_on], 4) for part in parts.values() for row in part]
        params = {"epochs": self.params["epochs"], "passes": passes, "joint_passes": last}
        return parts["joint"][last - 1][self.stops_on], {"params": params, "curve": curve}

    def _module_class(self) -> type[nn.Module]:
        return staged()

    def _batches(self, data: Batch) -> list[Batch]:
        """No batch has one user alone: the critic's normalisation needs two."""
        (users,) = data
        parts = list(users[torch.randperm(len(users)).to(users.device)].split(self.params["batch"]))
        if len(parts) > 1 and len(parts[-1]) == 1:
            parts[-2:] = [torch.cat(parts[-2:])]
        return [(part,) for part in parts]

    def _fit(self, split: Split) -> None:
        self._counted: dict[str, Curve] = {}
        super()._fit(split)

    def _part(self, stage: str) -> Curve:
        return [row for row in self.curve if row["stage"] == stage]

    def _stopped(self, known: int) -> bool:
        return any(self._ended_by_time(stage, self._part(stage), known) for stage in self._stages)

    def _ended_by_time(self, stage: str, curve: Curve, known: int) -> bool:
        """Only time ends a stage early whose passes are known; the critic has no patience."""
        plan = self._stage_plan(stage, self._plan(trainings=1))
        if known or stage == "critic":
            return len(curve) < (self._searched(stage) or plan.epochs)
        return stopped_by_budget(curve, self.stops_on, plan)

    def _searched(self, stage: str) -> int | None:
        """The passes of a stage that were best in the search; of the critic nothing tells when it is good."""
        return {"actor": self.params["passes"], "joint": self.params["joint_passes"]}.get(stage) or None

    @property
    def _stages(self) -> list[str]:
        return [stage for stage in STAGES if self.params["advice"] or stage != "critic"]

    def _train(self, split: Split, plan: Plan, passes: int | None = None) -> Curve:
        curve: Curve = []
        for stage in self._stages:
            timed, counted = self._stage_plan(stage, plan), self._counted.get(stage)  # none the first time
            wanted = self._searched(stage) if passes and not counted else None
            if counted:
                timed, wanted = timed.as_in(counted), self._passes_of(stage, counted)
            begins = stage == "actor"
            found = super()._train(split, timed, wanted) if begins else self._stage(split, stage, timed, wanted)
            self._counted.setdefault(stage, found)
            curve += self._noted(stage, found, curve)
        return curve

    def _passes_of(self, stage: str, curve: Curve) -> int:
        """Passes to make of a stage, once it was trained with validation; nothing tells when the critic is good."""
        return len(curve) if stage == "critic" else best_epoch(curve, self.stops_on)

    def _stage_plan(self, stage: str, plan: Plan) -> Plan:
        p = self.params
        timed = replace(plan, seconds=plan.seconds * TIME[stage])
        if stage == "joint":
            return replace(timed, epochs=p["joint_epochs"], learning_rate=p["joint_rate"])
        return timed if stage == "actor" else replace(timed, epochs=self._critic_passes())

    def _critic_passes(self) -> int:
        """Passes over the users that make ``critic_steps`` steps, :data:`CRITIC_PASSES` at most."""
        return min(-(-self.params["critic_steps"] // self._steps_a_pass()), CRITIC_PASSES)

    def _steps_a_pass(self) -> int:
        users, size = np.count_nonzero(np.diff(self.histories_.indptr)), self.params["batch"]
        return max(-(-users // size) - (users % size == 1), 1)  # who is left alone joins the last but one

    def _stage(self, split: Split, stage: str, plan: Plan, passes: int | None) -> Curve:
        self._module.enter(stage, self.params["advice"])
        torch.manual_seed(self.seed + list(STAGES).index(stage))
        data = tuple(tensor.to(device()) for tensor in self._examples(split))
        measure = self._validation(split)
        stops = measure if stage == "joint" else None  # nothing that the critic learns alone moves a list
        curve = train(self._module, self._loss, lambda: self._batches(data), plan, stops, passes)
        same = {measure[0]: measure[1]()} if measure and not stops else {}
        return [{"epoch": row["epoch"], "of": row["of"], "loss": row["loss"], **same, **row} for row in curve]

    def _noted(self, stage: str, curve: Curve, before: Curve) -> Curve:
        """The rows of a stage, counted on from those before it."""
        epoch, seconds = (before[-1]["epoch"], before[-1]["seconds"]) if before else (0, 0.0)
        return [{**row, "epoch": epoch + row["epoch"], "seconds": seconds + row["seconds"], "stage": stage,
                 "steps": row["epoch"] * self._steps_a_pass()} for row in curve]  # fmt: skip
