"""A blend learns what its members learn, each by its own rule; its weights stay until the next refit."""

from aicine_utils.feedback.updates import rules
from aicine_utils.feedback.updates.change import Change
from aicine_utils.models.base import Recommender


def each(model: Recommender, old: Recommender, change: Change) -> None:
    """Update every member of ``old``."""
    model._members = [rules.learned(member, change) for member in old._members]


def prepare(model: Recommender) -> None:
    """What the members would do once at their first update."""
    for member in model._members:
        rules.prepare(member)
