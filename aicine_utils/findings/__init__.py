"""Sentences, verdicts and decisions, computed from the leaderboard and the table of jobs in English and Korean.

Nothing here is typed by hand: other data say other things, the opposite included. Two models count as different from
the best when paired tests gave them another place (``place``, ``place_rmse``), and any other two when their intervals
do not meet. Where that fails the sentence says that it can't be told. The sentences are in ``configs/sentences.yaml``.
"""

from aicine_utils.findings.choosing import NO_TABLES, JobTables
from aicine_utils.findings.decisions import Decision, decision
from aicine_utils.findings.reading import primary, ranking, ratio_text, value_text
from aicine_utils.findings.sentences import Finding, findings
from aicine_utils.wording import seconds_text

__all__ = ["NO_TABLES", "Decision", "Finding", "JobTables", "decision", "findings", "primary", "ranking",
           "ratio_text", "seconds_text", "value_text"]  # fmt: skip
