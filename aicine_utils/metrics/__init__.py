"""Numbers per user, then means, intervals and tests.

``METRICS`` describes every metric by name; :func:`metric` finds the one behind a column such as ``ndcg@10``.
"""

from aicine_utils.errors import unknown
from aicine_utils.metrics import beyond, groups, ranking, rating
from aicine_utils.metrics.ranking import Metric

METRICS: dict[str, Metric] = {**ranking.METRICS, **rating.METRICS, **beyond.METRICS, **groups.METRICS}


def metric(label: str) -> Metric:
    """The description behind ``ndcg@10`` or ``rmse``; AicineError names the nearest when there is none."""
    name = label.partition("@")[0]
    if name not in METRICS:
        raise unknown("metric", name, METRICS)
    return METRICS[name]
