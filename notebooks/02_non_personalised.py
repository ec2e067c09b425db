# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # How far does one list for everyone go?
#
# *The lists that need no knowledge of the person who reads them, and the bar that they set for everything else.*

# %% [markdown] tags=["badge", "hide"]
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/ai-cine/ai-cine/blob/main/notebooks/02_non_personalised.ipynb)

# %% tags=["bootstrap"]
# On Colab: fetch the project and what Colab lacks (a minute or two). Anywhere else this cell does nothing.
import os

if "COLAB_RELEASE_TAG" in os.environ or "AICINE_BOOTSTRAP" in os.environ:
    import subprocess

    repository = os.environ.get("AICINE_REPOSITORY", "https://github.com/ai-cine/ai-cine")
    reference = os.environ.get("AICINE_REF", "main")
    if not os.path.exists("ai-cine"):
        clone = ["git", "clone", "--quiet", "--depth=1", f"--branch={reference}", repository, "ai-cine"]
        subprocess.run(clone, check=True)
    os.chdir("ai-cine/notebooks")
    get_ipython().run_line_magic("run", "../aicine_utils/pipeline/colab.py")

# %% tags=["parameters"]
dataset = "ml-100k"  # a data set's name, or a folder with your own ratings
preset = "quick"  # mock, quick or full: how many bootstrap resamples and trials
seed = 0  # seed of every model in this notebook

# %% [markdown]
# ## 1 Question
#
# T shows new visitors a row of popular films. Is that row any good, and which kind of popularity serves best: how
# often a film was watched, how well it was liked, how well it was rated, or what is watched *now*? A model that reads
# a person's history has to beat the best of these lists by more than chance, or it is not worth its cost.
#
# **What would change our mind.** If the best single list came within the interval of the personal models of the later
# notebooks, we would tell T to ship that list and stop there.

# %%
import pandas as pd
from matplotlib import pyplot as plt

from aicine_utils import columns as c
from aicine_utils import notebook as nb
from aicine_utils.models import registry
from aicine_utils.report import plots

study = nb.open_study("02_non_personalised", dataset, preset, seed)

# %% [markdown]
# ## 2 The data as these models see it
#
# Nothing but counts, stars and dates of the training ratings, and for one model the reader's gender and age group. The
# split is each user's own timeline: the last fifth of their ratings is the test, and what they liked there (four
# of five stars, or as high on another scale) is what a good list would have shown them.

# %%
split = study.split
shares = split.train.groupby(c.MOVIE).size().sort_values(ascending=False).cumsum() / len(split.train)
half = int((shares < 0.5).sum()) + 1
fig, ax = plt.subplots()
ax.plot(range(1, len(shares) + 1), shares, marker="", linewidth=2)
ax.axvline(half, color=plots.MUTED, linewidth=1, linestyle="--")
ax.set(xlabel="Movies, most watched first", ylabel="Share of all training ratings", ylim=(0, 1))
study.figure(
    fig,
    "long_tail",
    f"{half:,} of {len(shares):,} movies gather half of all ratings",
    f"Rising curve of the cumulated share of ratings; it passes one half at movie {half}.",
    shares.rename("share").reset_index(),
)

# %% [markdown]
# ## 3 Models
#
# - **Random**: an order drawn for each user. Whatever it scores is what a metric gives for nothing.
# - **Most watched** counts ratings; **most liked** counts only good ratings (four stars of five, or as high on another
#   scale).
# - **Best rated** ranks by the mean rating, pulled towards the mean of all films by $m$ imagined ratings, so that one
#   five-star rating does not make a film the best of all:
#
# $$\text{score}_i = \frac{m\,\mu + \sum_{u} r_{ui}}{m + n_i}$$
#
# - **Most watched lately** halves a view's weight for every half-life that passed before the last training rating
#   ($2^{-\text{age}/h}$), after Ji et al. (2020), who show that popularity without a clock is a straw man.
# - **Most watched in the group** counts within the reader's gender and age group and adds a little of everyone's views,
#   so that small groups don't get odd lists.
#
# Settings never come from the test; the table under *Settings* says which were searched, on validation ratings, and
# which are defaults.

# %% [markdown]
# ## 4 Training
#
# Counting is all there is to it, and there is no curve to show. Each model is fitted on training and validation
# ratings together, and each run is kept: a second execution of this notebook reads it.

# %%
results = study.run(registry.names("non_personalised"))
board = study.leaderboard(results)

# %% [markdown]
# ## 5 Results
#
# NDCG@10 asks how many of the ten films shown were liked later, and counts a hit near the top for more. Intervals come
# from resampling users. Models that a paired test (with Holm's correction) can't tell apart share a **place**.

# %%
study.show_board(board, "results", "Lists for everyone, best NDCG@10 first", ["place", *nb.RANKING])

# %%
half_life = results["recent_popularity"].manifest["params"]["half_life_days"]
times = study.split.train[c.TIMESTAMP]
span = (times.max() - times.min()).days
if half_life > span:
    nb.say(
        f"**Most watched lately** has a half-life of {half_life:,.0f} days, longer than the {span:,.0f} days that the "
        "ratings span, and so is nearly *most watched*. Here each person's time is cut apart, so there is no common "
        "lately; under one cut in time (notebook 10) there is, and it has a half-life of its own."
    )

# %%
best = board.iloc[0]
study.figure(
    plots.interval_plot(board, "ndcg@10"),
    "intervals",
    f"In first place: {nb.tied(board)}, NDCG@10 up to {best['ndcg@10']:.3f}",
    "Dot and interval of NDCG@10 for each list, best on top.",
    board[["label", "family", "ndcg@10", "ndcg@10_low", "ndcg@10_high"]],
)

# %% [markdown]
# The original study ranked films by plain mean rating. The sensitivity to the prior shows what that costs: with almost
# no prior the top of the list belongs to films that a handful of people loved.

# %%
priors = [0.5, 5.0, 50.0, 500.0]
by_prior = {m: study.run(["mean_rating"], prior=m)["mean_rating"] for m in priors}
rows = [(m, result.values().mean(), study.views_of_list(result)) for m, result in by_prior.items()]
study.show(
    pd.DataFrame(rows, columns=["prior", "ndcg@10", "views_of_list"]),
    "prior",
    "Best rated, by the weight of its prior",
    {
        "prior": "Imagined ratings",
        "ndcg@10": nb.measure_column("ndcg@10"),
        "views_of_list": nb.Column("Median views", "Median number of training ratings of the films shown", ".0f"),
    },
)

# %% [markdown]
# ## 6 Where it wins and loses
#
# One list can't suit everyone. The panels show for whom it comes nearest: by gender and age where the data says, and by
# how much a person has watched.

# %%
shown = {name: results[name] for name in board["model"].head(3)}
group_table = study.by_group(shown)
activity = group_table[(group_table["attribute"] == "activity") & (group_table["label"] == best["label"])]
first = activity.sort_values("value").iloc[-1]
study.figure(
    plots.group_plot(group_table, "value", "NDCG@10"),
    "groups",
    f"By activity, {best['label']} has its highest NDCG@10 for {first['group']} users: "
    f"{nb.number(first['value'], first['value_low'], first['value_high'])}",
    "One panel each for gender, age group and activity; a marker and interval for each of the three best lists.",
    group_table,
)

# %%
shelves = study.by_popularity(shown)
study.show(
    shelves,
    "popularity",
    "Recall@10 by how well known the film is",
    {"label": "Model", **{n: nb.measure_column(n) for n in shelves.columns if n.startswith("recall")}},
)

# %% [markdown]
# ## 7 Look at it
#
# Two people with histories of middling length: what they watched last, and what each list would have shown them. A ★
# marks a film that the person went on to like.

# %%
someone, another = study.typical_users(2)
study.show_history(someone)

# %%
study.show_lists(results, someone)

# %%
study.show_history(another)

# %%
study.show_lists(results, another)

# %% [markdown]
# ## 8 Cost and reach
#
# These lists cost next to nothing to make. Their price may lie elsewhere: how much of the catalogue is ever shown?

# %%
study.show_board(board, "cost", "What else the lists do", ["coverage", "gini", "novelty", "calibration"], cost=True)

# %% [markdown]
# ## 9 Limits
#
# - MovieLens asked people to rate films, many in one sitting, and its own pages suggested which. Popularity is partly
#   what the site showed; a streaming service's plays may be less, or more, concentrated.
# - The split follows each person's own time. Views that others made later than a test rating are in the counts, which
#   favours every model here alike; notebook 10 asks how much the answer depends on it.
# - A rating is not a view: who watched and did not rate is invisible.

# %% [markdown]
# ## 10 Answer

# %% tags=["answer"]
random = board.set_index("model").loc["random"]
alone = (board["place"] == 1).sum() == 1
best_list = f"The best list for everyone is **{nb.tied(board)}**, with"
level = f"Which list for everyone is best can't be told: **{nb.tied(board)}** share first place; {best['label']} has"
nb.answer(
    f"{best_list if alone else level} NDCG@10 {nb.measured(best, 'ndcg@10')}; a random list has "
    f"{nb.measured(random, 'ndcg@10')}.",
    f"{best['label']} shows {best['coverage']:.1%} of the catalogue to anyone at all, and {best['hit@10']:.0%} of "
    "people find a film among its first ten that they later like.",
)

# %% [markdown]
# ## References
#
# - Y. Ji, A. Sun, J. Zhang, C. Li (2020). A re-visit of the popularity baseline in recommender systems. SIGIR.
# - P. Cremonesi, Y. Koren, R. Turrin (2010). Performance of recommender algorithms on top-N tasks. RecSys.
# - F. M. Harper, J. A. Konstan (2015). The MovieLens datasets: history and context. ACM TiiS 5(4).
#
# ## Settings

# %%
nb.provenance_note(study, results)
