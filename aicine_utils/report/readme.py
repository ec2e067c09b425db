"""README's results: sentences, a picture and a table, written between two marks from the tables of a finished report.

The first mark names the data set, so that a test can say whether README and the committed tables still agree.
"""

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from aicine_utils import findings
from aicine_utils.errors import AicineError
from aicine_utils.files import write_text
from aicine_utils.findings import verdicts
from aicine_utils.findings.choosing import budget
from aicine_utils.findings.decisions import JOBS
from aicine_utils.findings.reading import CHOSEN
from aicine_utils.report import budgets, figures, plots, publishing, svg
from aicine_utils.report.pages import words
from aicine_utils.wording import MISSING, say

NAME = "README.md"
FIRST = 10
# What the original study lacked.
BASELINES = ("random", "popularity", "recent_popularity", "group_popularity", "ease", "ials", "multivae")
PUBLISHED = ("ml-1m", "ml-100k")  # whose reports are committed, see .gitignore
BEGIN, END = r"<!-- results ?([\w-]*) -->", "<!-- /results -->"
NOTHING = "*No report is published yet. `./run_all.sh` makes one, `./run_all.sh readme` writes its findings here.*"
FILES = "Files that differ from the published ones"  # a row of notebook 00's checks
NEEDED = ("model", "label", "family", "ndcg@10", "n_users")


def write(home: Path, dataset: str) -> list[Path]:
    """Fill ``README.md`` in ``home`` and draw its picture, from ``outputs/<dataset>/tables``; the files written.

    Raises AicineError when the tables are missing, the marks are not there exactly once, or the report holds what must
    not be committed.
    """
    text, board = _read(home), leaderboard(home, dataset)
    text = with_results(text, dataset, block(home, dataset))
    if wrong := publishing.problems(publishing.files(home / "outputs" / dataset)):
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise AicineError(f"The report on {dataset} can't be committed: {'; '.join(wrong[:3])}{more}. Mend it first.")
    return [write_text(home / picture_path(dataset), picture(board)), write_text(home / NAME, text)]


def shown_dataset(home: Path) -> str:
    """The data set whose results README in ``home`` shows, ml-100k where it shows none yet."""
    return dataset_of(_read(home)) or "ml-100k"


def _read(home: Path) -> str:
    path = home / NAME
    if not path.exists():
        raise AicineError(f"{path} is not there. Run this where README.md and outputs/ lie side by side.")
    return path.read_text(encoding="utf-8")


def block(home: Path, dataset: str) -> str:
    """The results of a finished report in ``home``, as :func:`results` says them."""
    board, jobs = leaderboard(home, dataset), job_tables(home, dataset)
    found = {dataset: findings.decision(board, jobs)}
    for other in PUBLISHED:
        if other != dataset and leaderboard_path(home, other).exists():
            found[other] = findings.decision(leaderboard(home, other), job_tables(home, other))
    elsewhere = beside(found) if len(found) > 1 else []
    return "\n".join([results(board, dataset, judged(home, dataset), jobs, differing(home, dataset)), *elsewhere])


def leaderboard(home: Path, dataset: str) -> pd.DataFrame:
    """The leaderboard of a finished report; AicineError where there is none."""
    path = leaderboard_path(home, dataset)
    if not path.exists():
        raise AicineError(f"{path} is not there. Make the report first: ./run_all.sh --dataset {dataset}")
    board = pd.read_csv(path)
    lacking = [name for name in NEEDED if name not in board]
    if lacking or board.empty:
        what = f"lacks the column {lacking[0]}" if lacking else "holds no model"
        raise AicineError(f"{path} {what}. Make it again: ./run_all.sh --dataset {dataset} --only 10")
    return board


def leaderboard_path(home: Path, dataset: str) -> Path:
    """Where a finished report keeps its leaderboard."""
    return home / "outputs" / dataset / "tables" / "leaderboard.csv"


def job_tables(home: Path, dataset: str) -> findings.JobTables:
    """What else than the leaderboard is decided from, as on the report's first page."""
    paths = [home / "outputs" / dataset / "tables" / f"10_{name}.csv" for name in ("jobs", "pairs")]
    return findings.JobTables(*(pd.read_csv(path) if path.exists() else None for path in paths))


def judged(home: Path, dataset: str) -> pd.DataFrame | None:
    """The claims of the original study with their verdicts, from what was measured; None where nothing was."""
    path = home / "outputs" / dataset / "tables" / "14_evidence.csv"
    if not path.exists():
        return None
    return verdicts.summary(verdicts.verdicts(pd.read_csv(path, dtype=dict.fromkeys(verdicts.TEXTS, str))))


def dataset_of(text: str) -> str:
    """The data set whose results a README shows; empty where it shows none. Raises AicineError for damaged marks."""
    return _marks(text)[0].group(1)


def with_results(text: str, dataset: str, block: str) -> str:
    """``text`` with ``block`` between its marks. Raises AicineError when these are not there exactly once, in order."""
    begin, end = _marks(text)
    mark = f"<!-- results {dataset} -->" if dataset else "<!-- results -->"
    return f"{text[: begin.start()]}{mark}\n{block}\n{text[end.start() :]}"


def _marks(text: str) -> tuple[re.Match[str], re.Match[str]]:
    begins, ends = (list(re.finditer(f"^{mark}$", text, re.MULTILINE)) for mark in (BEGIN, END))
    if len(begins) != 1 or len(ends) != 1 or ends[0].start() < begins[0].end():
        raise AicineError(
            f"README.md has {len(begins)} marks <!-- results --> and {len(ends)} marks {END}; it needs one of each, in "
            "this order and each alone on its line. Put them where the findings belong."
        )
    return begins[0], ends[0]


def results(
    board: pd.DataFrame,
    dataset: str,
    original: pd.DataFrame | None = None,
    jobs: findings.JobTables = findings.NO_TABLES,
    warning: str = "",
) -> str:
    """What stands between the marks: findings, one picture, the first ten models and those always shown, claims.

    ``warning``: a sentence on the ratings themselves, with a blank before it.
    """
    rows, everyone = shown(board), findings.ranking(findings.primary(board), "ndcg@10")
    return "\n".join([
        "## What we found", "",
        f"{len(everyone)} models on `{dataset}`. On people's own timelines all lists are of the same "
        f"{everyone['n_users'].max():,} people{_raters(jobs)}; other jobs, and one cut in time, have people and films "
        "of their own: compare within a sentence, not between them. Brackets hold 95 % intervals over people. NDCG@10 "
        "says how well ten films hold what was liked later, the first of them most (1 is perfect), RMSE by how many "
        f"stars a prediction errs (0 is perfect).{_afford(jobs)} "
        f"{words('en')['measured_lines'][-1]}{warning}", "",
        *(f"- {sentence}" for sentence in sentences(board, jobs)), "",
        f"![{title(rows)}]({picture_path(dataset)})", "",
        *table(rows), "",
        f"The first {min(FIRST, len(everyone))} of {len(everyone)} models, baselines that the original study lacked, "
        "and SVD and RaCT, which it chose, the latter with MultiVAE, on which it builds. Who can't be told "
        "from the best of a place shares it; a mean may be higher "
        "and a place lower, where a model's differences vary less from person to person. Every row: "
        f"[leaderboard.csv](outputs/{dataset}/tables/leaderboard.csv); every page: "
        f"`outputs/{dataset}/report/index.html`. Written by `./run_all.sh readme`, not by hand.", "",
        budgets.told(findings.primary(board), "en"),
        *([] if original is None else ["", *claims(original)]),
    ])  # fmt: skip


def _raters(jobs: findings.JobTables) -> str:
    """How many people the errors of stars are of, who need not have liked anything; empty where that was not noted."""
    people = [] if jobs.means is None else jobs.means.loc[jobs.means["job"] == "stars", "people"].dropna()
    return f", all errors of stars of the same {people.max():,.0f}" if len(people) else ""


def _afford(jobs: findings.JobTables) -> str:
    """What "affordable" means; empty where no budget was told."""
    seconds, memory = budget(jobs.means)
    if not math.isfinite(seconds + memory):
        return ""
    limit = findings.seconds_text(seconds)
    return f" Affordable is what trains and answers all of them within {limit} and {memory / 1000:g} GB."


def differing(home: Path, dataset: str) -> str:
    """That files of the ratings differ from the published ones, where notebook 00 found that; empty where not."""
    path = home / "outputs" / dataset / "tables" / "00_checks.csv"
    rows = pd.read_csv(path).set_index("check") if path.exists() else pd.DataFrame()
    if FILES not in rows.index or not (n := int(rows.loc[FILES, "count"])):
        return ""
    return (
        f" **Beware:** {n} of the {int(rows.loc[FILES, 'of'])} files of ratings, films and people "
        f"{'differs' if n == 1 else 'differ'} from the published ones (checksum; notebook 00 says how), "
        "so figures in papers are near these, not of the same ratings."
    )


def sentences(board: pd.DataFrame, jobs: findings.JobTables = findings.NO_TABLES) -> list[str]:
    """The decisions, then the findings, as on the report's first page: each with its job or topic in bold."""
    topics = words("en")["topic"]
    decided = [one.text["en"].partition(":") for one in findings.decision(board, jobs)]
    found = [f"**{topics[one.key]}** – {one.text['en']}" for one in findings.findings(board, jobs)]
    return [f"**{job}:**{rest}" for job, _, rest in decided] + found


def shown(board: pd.DataFrame) -> pd.DataFrame:
    """The rows of README's table and picture: the first ten by NDCG@10, the baselines, the original study's choices."""
    rows = findings.ranking(findings.primary(board), "ndcg@10")
    return rows[(rows.index < FIRST) | rows["model"].isin([*BASELINES, *CHOSEN])]


def table(rows: pd.DataFrame) -> list[str]:
    """Lines of a Markdown table, one row a model."""
    head = ["| Place | Model | NDCG@10 | RMSE | Training | Memory |", "|---:|---|---|---|---:|---:|"]
    return head + [f"| {' | '.join(_cells(row))} |" for _, row in rows.iterrows()]


def claims(original: pd.DataFrame) -> list[str]:
    """Lines of a Markdown table, one row a claim of the original study."""
    rows = original[["claim", "verdict", "why"]].itertuples(index=False)
    head = ["| The original study said | Here | Why |", "|---|---|---|"]
    return [words("en")["original_about"], "", *head, *(f"| {' | '.join(row)} |" for row in rows)]


def beside(found: Mapping[str, Sequence[findings.Decision]]) -> list[str]:
    """Lines of a Markdown table, one row a job: whom to ship on each data set that has a published report."""
    made = {dataset: {one.job: one for one in decisions} for dataset, decisions in found.items()}
    jobs = [job for job in JOBS if any(job in decisions for decisions in made.values())]
    chosen = [{own[job].model if job in own else None for own in made.values()} for job in jobs]
    same = sum(len(models) == 1 for models in chosen if None not in models)
    pages = ", ".join(f"`outputs/{dataset}/report/index.html`" for dataset in list(made)[1:])
    head = [f"| Ship for | {' | '.join(made)} |", f"|---|{'---|' * len(made)}"]
    rows = [[say("jobs", job)["en"], *(_answer(own.get(job)) for own in made.values())] for job in jobs]
    told = f"Does the answer hold on other people? The same model is chosen for {same} of {len(jobs)} jobs"
    if undecided := chosen.count({None}):
        told += f", none on any of these data for {undecided}"
    return ["", f"{told} ({pages}).", "", *head, *(f"| {' | '.join(row)} |" for row in rows)]


def _answer(made: findings.Decision | None) -> str:
    if made is None:
        return MISSING
    return made.standing if made.model is None else f"{made.label}, {made.standing}"


def _cells(row: pd.Series) -> list[str]:
    seconds, memory, place = (row.get(name) for name in ("fit_seconds", "peak_mb", "place"))
    return [
        MISSING if pd.isna(place) else f"{place:.0f}",
        str(row["label"]).replace("|", "\\|"),
        findings.value_text(row, "ndcg@10"),
        MISSING if pd.isna(row.get("rmse")) else findings.value_text(row, "rmse"),
        MISSING if pd.isna(seconds) else findings.seconds_text(seconds),
        MISSING if pd.isna(memory) else f"{memory:,.0f} MB",
    ]


def title(rows: pd.DataFrame) -> str:
    """What the picture shows, in one sentence."""
    return f"NDCG@10 with its interval for {len(rows)} models, {rows['label'].iloc[0]} on top"


def picture(board: pd.DataFrame) -> str:
    """The rows of README's table as SVG, readable on light and on dark; its numbers stand in its description."""
    rows = shown(board)
    fig = plots.interval_plot(rows, "ndcg@10")
    numbers = "; ".join(f"{row['label']} {findings.value_text(row, 'ndcg@10')}" for _, row in rows.iterrows())
    drawn = svg.svg_file(figures.svg_text(fig), title(rows), numbers)
    plots.plt.close(fig)
    return drawn


def picture_path(dataset: str) -> str:
    """Where the picture lies, as seen from README."""
    return f"outputs/{dataset}/report/leaderboard.svg"
