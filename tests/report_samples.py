"""A made-up leaderboard, notebook and statuses for the tests of the report."""

import nbformat.v4 as v4
import numpy as np
import pandas as pd

from aicine_utils.report import plots
from aicine_utils.report.tables import Column, html_table

EVIL = 'Alien <script>window.hacked = 1</script> & "co"'
SVG = '<svg width="10pt" height="10pt" viewBox="0 0 10 10"><text id="t" style="fill: #010203">ink</text></svg>'

# model, label, family, ndcg@10, rmse, coverage, fit_seconds, place, place_rmse
_ROWS = [
    ("ease", "EASE", "linear", 0.132, None, 0.31, 2.1, 1, None),
    ("ials", "iALS", "matrix_factorisation", 0.130, None, 0.38, 6.5, 1, None),
    ("sasrec", "SASRec", "recbole_sequential", 0.127, None, 0.52, 340.0, 3, None),
    ("item_knn", "Item k-NN", "neighbourhood", 0.118, None, 0.24, 0.8, 4, None),
    ("lightgcn", "LightGCN", "recbole_general", 0.112, None, 0.29, 210.0, 5, None),
    ("user_knn", "User k-NN", "neighbourhood", 0.111, None, 0.18, 0.7, 5, None),
    ("ncf", "MLP", "neural", 0.104, 0.921, 0.33, 48.0, 7, 3),
    ("lightfm", "LightFM (WARP)", "hybrid", 0.101, None, 0.27, 21.0, 7, None),
    ("popularity", "Most liked", "non_personalised", 0.072, None, 0.04, 0.01, 9, None),
    ("recent_popularity", "Most watched lately", "non_personalised", 0.066, None, 0.05, 0.02, 9, None),
    ("views", "Most watched", "non_personalised", 0.061, None, 0.04, 0.01, 11, None),
    ("svdpp", "SVD++ (Surprise)", "matrix_factorisation", 0.041, 0.902, 0.12, 92.0, 12, 1),
    ("svd", "SVD (Surprise)", "matrix_factorisation", 0.038, 0.911, 0.11, 1.3, 12, 2),
    ("knn_baseline", "k-NN baseline (Surprise)", "neighbourhood", 0.024, 0.914, 0.09, 1.1, 14, 2),
    ("baseline", "Baseline (Surprise)", "matrix_factorisation", 0.022, 0.931, 0.03, 0.2, 14, 4),
    ("content_tfidf", "Content, TF-IDF", "content_based", 0.012, None, 0.83, 0.3, 16, None),
    ("random", "Random", "non_personalised", 0.006, None, 1.0, 0.001, 17, None),
]


def leaderboard() -> pd.DataFrame:
    names = ["model", "label", "family", "ndcg@10", "rmse", "coverage", "fit_seconds", "place", "place_rmse"]
    board = pd.DataFrame(_ROWS, columns=names)
    board.insert(0, "protocol", "user_temporal")
    board = board.assign(seeds=1, n_users=937, recommend_seconds=board["fit_seconds"] / 10 + 0.05, peak_mb=410.0)
    board["recall@10"] = board["ndcg@10"] * 1.1
    board["novelty"] = 9 + 3 * board["coverage"]
    for metric, half in (("ndcg@10", 0.006), ("recall@10", 0.007), ("rmse", 0.004)):
        board[f"{metric}_low"], board[f"{metric}_high"] = board[metric] - half, board[metric] + half
    return board


LOSS = """## The question

A factor model predicts $\\hat r_{ui} = \\mu + b_u + b_i + p_u^\\top q_i$ and minimises

$$
\\sum_{(u,i)} (r_{ui} - \\hat r_{ui})^2 + \\lambda \\left(\\lVert p_u \\rVert^2 + \\lVert q_i \\rVert^2\\right)
$$

over the ratings seen. See [the data](00_data.ipynb#ratings)."""
CODE = (
    "from aicine_utils import notebook as n\n\nboard = n.leaderboard(dataset)  # rows: models\nprint(f'{len(board):,}')"
)
ANSWER = f"**iALS** is the best of the factor models: NDCG@10 0.130 [0.124, 0.136]. Shown to fans of {EVIL}."
TRACEBACK = ["\x1b[31mZeroDivisionError\x1b[0m: division by zero"]


def shown(mimetype: str, text: str):
    return v4.new_output("display_data", data={mimetype: text})


def printed(text: str, name: str = "stdout"):
    return v4.new_output("stream", name=name, text=text)


def code(source: str, *outputs, tag: str | None = None):
    return v4.new_code_cell(source, outputs=list(outputs), metadata={"tags": [tag]} if tag else {})


def figures() -> tuple[str, str]:
    epochs = np.arange(1, 16)
    parts = [pd.DataFrame({"epoch": epochs, "value": 1 / epochs + k / 10, "part": n}) for k, n in enumerate("ab")]
    curve = plots.curve_plot(pd.concat(parts), by="part", y_label="Loss")
    intervals = plots.interval_plot(leaderboard())
    return (
        plots.figure_html(curve, "Loss settles after 8 epochs", "Two falling lines."),
        plots.figure_html(intervals, "EASE and iALS lead", "Dots with intervals, EASE on top."),
    )


def movies() -> pd.DataFrame:
    return leaderboard().head(4).assign(title=[EVIL, "=1+1", "Heat (1995)", "Fargo (1996)"])


def table() -> str:
    columns = {
        "title": Column("Movie", "Title and year"),
        "ndcg@10": Column("NDCG@10", "Higher is better", ".3f", "higher"),
        "fit_seconds": Column("Train (s)", "Lower is better", ".1f", "lower"),
    }
    return html_table(movies(), "Four models", columns, csv="../tables/four.csv")


def notebook():
    curve, intervals = figures()
    frame = f"<div><style scoped>x</style>{movies()[['title', 'rmse']].to_html()}</div>"
    cells = [
        v4.new_markdown_cell(
            "# How far do latent factors carry?\n\nSeven models that write a rating as an inner product."
        ),
        code("!pip install aicine", printed("BOOTSTRAP"), tag="bootstrap"),
        code("dataset: str = 'ml-100k'  # data set\nseed: int = 0", tag="parameters"),
        code("dataset = 'mock'", tag="injected-parameters"),
        v4.new_markdown_cell(LOSS),
        code(CODE, printed("17\n"), printed("STDERR-NOISE", "stderr")),
        v4.new_markdown_cell("## Training"),
        code("n.curve(board)", shown("text/html", curve)),
        v4.new_markdown_cell("## Results with intervals\n\nBrackets are 95% intervals over users."),
        code("n.intervals(board)", shown("text/html", intervals), shown("text/html", table())),
        code("draw()", shown("image/svg+xml", SVG), shown("image/svg+xml", SVG.replace("ink", "two"))),
        v4.new_markdown_cell("### Some movies\n\n| movie | stars |\n|---|---|\n| Heat | 4.5 |"),
        code("board.head(4)", v4.new_output("execute_result", data={"text/html": frame, "text/plain": "frame"})),
        code("1 / 0", v4.new_output("error", ename="ZeroDivisionError", evalue="", traceback=TRACEBACK)),
        v4.new_markdown_cell("## Answer"),
        code("n.answer(board)", shown("text/markdown", ANSWER), tag="answer"),
    ]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    return v4.new_notebook(cells=cells, metadata={"language_info": {"name": "python", "pygments_lexer": "ipython3"}})


PROVENANCE = {
    "revision": "0123abcd",
    "python": "3.11.9",
    "host": "2 cores, 8 GB",
    "packages": {"numpy": "2.4.6", "pandas": "2.3.3"},
}


def status(name: str = "05_matrix_factorisation", **changes):
    base = {"notebook": name, "title": name[3:].replace("_", " ").capitalize(), "status": "ok", "seconds": 74.2,
            "peak_mb": 812.0, "parameters": {"dataset": "mock", "seed": 0}, "started": "2030-01-02T03:04:05",
            "provenance": PROVENANCE, "error": None}  # fmt: skip
    return {**base, **changes}


ERROR = {"cell": 7, "heading": "4 Training", "source": "model.fit(split)\nprint('<b>')",
         "lines": ["\x1b[31mMemoryError\x1b[0m: <needs 9 GB>"]}  # fmt: skip
NAMES = ["00_data", "01_eda", "02_non_personalised", "03_content_based", "04_neighbourhood", "05_matrix_factorisation",
         "06_hybrid_lightfm", "07_neural", "08_recbole_general", "09_recbole_sequential", "10_comparison",
         "11_feedback_loop", "12_try_it"]  # fmt: skip


def statuses():
    return [status(name, seconds=20.0 * i + 3.4, peak_mb=300.0 + 90 * i) for i, name in enumerate(NAMES)]


CARD = {
    "n_ratings": 100_000,
    "n_users": 943,
    "n_movies": 1682,
    "density": 0.06305,
    "licence": "MovieLens, research use",
}
