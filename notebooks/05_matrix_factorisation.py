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
# # Does the lowest error make the best list?
#
# *Matrix factorisation, measured by the stars it predicts and by the lists it makes, and the original study's SVD
# result taken apart.*

# %% [markdown] tags=["badge", "hide"]
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/ai-cine/ai-cine/blob/main/notebooks/05_matrix_factorisation.ipynb)

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
preset = "quick"  # mock, quick or full: resamples, trials of the search, folds of the grid
seed = 0  # seed of every model in this notebook

# %% [markdown]
# ## 1 Question
#
# The original study compared models by the error of their predicted stars, chose SVD, and made lists of the films with
# the most predicted stars. That takes for granted that whoever predicts stars best also picks films best. We test it:
# the same models, the same people, once scored by their error and once by their lists.
#
# **What would change our mind.** If the two orders agreed, and the best predictor of stars also stood in first place
# for lists, one model and one number would do for T, and we would say so.

# %%
import pandas as pd

from aicine_utils import columns as c
from aicine_utils import leaderboard, settings, tuning
from aicine_utils import notebook as nb
from aicine_utils.models import original_study, registry
from aicine_utils.report import plots
from aicine_utils.study import audit, comparison

study = nb.open_study("05_matrix_factorisation", dataset, preset, seed)

# %% [markdown]
# ## 2 The data as these models see it
#
# A rating model sees a table with people as rows and films as columns, nearly empty, and learns from the filled cells
# only: *how many* stars. It never asks *why* a cell is filled. iALS looks at the same table the other way round: a
# filled cell means "chose to watch"; how many stars matters only where a search left low ratings out (`liked`).

# %%
known = study.split.history
cells = len(study.split.user_ids) * len(study.split.movie_ids)
stars = known[c.RATING].value_counts().sort_index()
fig, ax = plots.plt.subplots(figsize=(5.4, 2.8))
ax.bar(stars.index.map("{:g}".format), stars / len(known), color=plots.look("matrix_factorisation").colour)
ax.set(xlabel="Stars", ylabel="Share of known ratings")
filled, liked = len(known) / cells, (known[c.RATING] >= study.split.min_relevant).mean()
study.figure(
    fig,
    "stars",
    f"{filled:.1%} of the table is filled, and {liked:.0%} of it with {study.split.min_relevant:.0f} stars or more",
    "Bars: how often each number of stars was given before the test.",
    stars.rename("ratings").reset_index(),
)

# %% [markdown]
# ## 3 Models
#
# With $\mu$ the mean rating, $b_u$ and $b_i$ what a person and a film lie above it, and $p_u$, $q_i$ short vectors:
#
# - **Baseline** (Koren 2010): $\mu + b_u + b_i$. No taste at all, and the bar that the others have to clear.
# - **SVD** (Funk 2006; Koren et al. 2009): $\mu + b_u + b_i + q_i^\top p_u$, by stochastic gradient descent on known
#   stars with a penalty on large values.
# - **SVD++** (Koren 2008): adds to $p_u$ what a person *chose* to rate,
#   $q_i^\top\big(p_u + |I_u|^{-1/2}\sum_{j \in I_u} y_j\big)$.
# - **NMF** (Luo et al. 2014): $q_i^\top p_u$ with no negative numbers.
# - **Slope One** (Lemire & Maclachlan 2005): a person's mean plus mean differences between pairs of films.
# - **Co-clustering** (George & Merugu 2005): the mean of a group of people on a group of films, plus both offsets.
# - **iALS** (Hu et al. 2008) predicts no stars. It fits *all* cells, 1 where watched and 0 elsewhere, and trusts the
#   watched ones more: $\min \sum_{u,i} w_{ui}\,(x_{ui} - q_i^\top p_u)^2 + \lambda(\lVert p\rVert^2+\lVert q\rVert^2)$.
#   Rendle et al. (2022) show that, tuned, it keeps up with neural models.
#
# Baseline, Slope One and Co-clustering factor nothing; they stand here because they do the same job.
#
# Two controls from notebook 02 stand beside them: the most liked films for everyone, and the best rated ones.

# %% [markdown]
# ## 4 Training
#
# Settings never come from the test; the final model learns from training and validation ratings together.
# The six rating models are scikit-surprise's; their learned vectors are put into matrices, so that all scores of a
# person are one product. The second cell shows how a search looks: SVD on validation ratings, live, with the test
# ratings out of sight. The first trial is the library's default. The table under *Settings* says which other models
# were searched in this way.

# %%
names = [*registry.names("matrix_factorisation"), "mean_rating", "popularity"]
results = study.run(names)
board = study.leaderboard(results)
board["views"] = [study.views_of_list(results[name]) for name in board["model"]]
raters = board[board["rmse"].notna() & (board["family"] != "non_personalised")].sort_values("rmse")

# %%
winner = tuning.tune("svd", study.split, study.preset.trials, seed)
trials = pd.DataFrame(tuning.history("svd", study.split, seed)).rename_axis("trial").reset_index()
lines = trials.assign(best=trials["value"].cummin()).melt("trial", ["value", "best"], "series", "rmse")
lines["series"] = lines["series"].map({"value": "This trial", "best": "Best so far"})
gain = trials["value"].iloc[0] - trials["value"].min()
study.figure(
    plots.curve_plot(lines, "trial", "rmse", "series", "Trial (0 is the default)", "RMSE on validation, stars"),
    "search",
    f"{len(trials)} trials lower SVD's validation RMSE by {gain:.3f} stars",
    "Two lines over the trials of the search: the error of each trial and the lowest error so far.",
    trials,
)

# %% [markdown]
# ## 5 Results
#
# Both ways to measure side by side, with intervals from resampling users. Models that a paired test with Holm's
# correction can't tell apart share a place; there is one place for stars and one for lists.

# %%
study.show_board(board, "results", "Errors and lists", ["rmse", "place_rmse", "mae", "ndcg@10", "place", "recall@10"])

# %%
first = raters.iloc[0]
study.figure(
    plots.interval_plot(raters, "rmse"),
    "rmse",
    f"Stars: {nb.tied(raters, 'place_rmse')} in first place, RMSE {first['rmse']:.3f}",
    "Dot and interval of RMSE for each rating model, lowest on top.",
    raters[["label", "family", "rmse", "rmse_low", "rmse_high", "place_rmse"]],
)

# %% [markdown]
# ### Is one order the other?
#
# Kendall's $\tau$ compares two orders: 1 when they are the same, 0 when they have nothing to do with each other, −1
# when one is the other upside down. In the picture, low errors lie to the left and good lists lie high: if error were
# a guide to lists, the points would fall from top left to bottom right.

# %%
order = comparison.agreement(raters["rmse"], raters["ndcg@10"])
VERDICTS = {
    "agree": "low error and better lists go together",
    "oppose": "the lower the error, the worse the list",
    "unrelated": "whether the error tells which list is better can't be said from so few models",
}
verdict = f"{VERDICTS[order.verdict]} (τ = {order.tau:.2f}, p = {order.p:.2f}, {order.n} models)"
fig = plots.cost_plot(raters, "rmse", "ndcg@10", "RMSE on the test, stars (lower is better)", log=False)
study.figure(fig, "orders", verdict[0].upper() + verdict[1:], "Each rating model by its RMSE and its NDCG@10.", raters)

# %% [markdown]
# ### Why?
#
# A rating model orders *all* films by expected stars, and is never punished for what it says about films nobody like
# this person watches. A film with a handful of enthusiastic ratings can lead every list. Predicting what people will
# *choose* is the other job. The popularity of what each model lists shows it.

# %%
median_views = known.groupby(c.MOVIE).size().median()
least, most = raters.loc[raters["views"].idxmin()], board.loc[board["views"].idxmax()]
study.figure(
    plots.cost_plot(
        board.assign(views=board["views"].clip(lower=1)), "views", "ndcg@10", "Median ratings of a listed film"
    ),
    "views",
    f"Median number of ratings of a listed film: {least['views']:.0f} for {least['label']}, {most['views']:.0f} for "
    f"{most['label']}, {median_views:.0f} over the whole catalogue",
    "Each model by how often the films of its lists were rated and by its NDCG@10.",
    board[["label", "family", "views", "ndcg@10"]],
)

# %% [markdown]
# ## 6 The original study's SVD, step by step
#
# The study searched epochs {5, 10, 15, 20} and learning rates {.001, .002, .005, .01} by cross-validation over all
# ratings, fitted the winner once more **on all ratings**, and then reported its RMSE on Surprise's *anti-test set*. We
# repeat that, starting with the grid.

# %%
scale, folds = tuple(study.data.info["rating_scale"]), study.preset.folds
grid = study.keep(
    "original_grid",
    lambda: original_study.grid_search(study.data.ratings, folds, seed, rating_scale=scale)[0],
    "aicine_utils.models.original_study",
    folds=folds,
)
chosen = audit.winner(grid)

# %%
fig = plots.heatmap(grid.pivot(index="n_epochs", columns="lr_all", values="rmse"), "RMSE, stars", ".3f")
fig.axes[0].set(xlabel="Learning rate", ylabel="Epochs")
study.figure(
    fig,
    "grid",
    f"The grid prefers {chosen['n_epochs']} epochs at a learning rate of {chosen['lr_all']}",
    f"Heat map of the cross-validated RMSE, {folds} folds, by epochs (rows) and learning rate (columns).",
    grid,
)

# %% [markdown]
# The anti-test set holds every pair of person and film **without** a rating. Nobody knows the true stars there, so
# Surprise fills in the mean of all ratings as if it were the truth. The RMSE on it asks how far a model's predictions
# lie from that mean. Three plain sentences:
#
# 1. The "truth" of this set contains no opinion of anybody, so no model can be right or wrong about it.
# 2. A model that knows nothing and always answers the mean gets a perfect zero.
# 3. Whatever a model learns about people and films moves it away from the mean, so here it can only lose by knowing.

# %%
checked = audit.anti_test(study.data, grid, seed)
reported, of_mean = checked["anti_test"].iloc[0], checked["anti_test"].iloc[-1]
constant = leaderboard.means(study.run(["baseline"], **audit.MEAN_ONLY)["baseline"], study.preset.resamples)
lowest = checked.loc[checked["anti_test"].idxmin()]
honestly = "the highest" if lowest["rmse"] == checked["rmse"].max() else "not the highest"

# %%
fig = plots.cost_plot(
    checked.assign(family=["matrix_factorisation"] * (len(checked) - 1) + ["non_personalised"]), "rmse", "anti_test",
    "Cross-validated RMSE, stars (lower is better)", "The study's number, stars (“lower is better”)", log=False,
)  # fmt: skip
study.figure(
    fig,
    "anti_test",
    f"The study's number is best for “{lowest['label']}”, {lowest['anti_test']:.3f}; its honest error, "
    f"{lowest['rmse']:.3f}, is {honestly} of these",
    "Settings of SVD and the constant mean: cross-validated RMSE across, RMSE on the anti-test set upwards.",
    checked,
)

# %% [markdown]
# Now the grid's winner measured honestly: fitted without the test ratings, on stars that people really gave later.
# Beside it two other settings of the same model, the library's default and the search's winner. The grid saw the test
# ratings when it chose; we let it keep that advantage.

# %%
default = settings.model_config("svd")["params"]
candidates = {"Library default": default, "The study's grid": default | chosen,
              f"Search, {winner.trials} trials": default | winner.params}  # fmt: skip
fitted = {label: study.run(["svd"], **params)["svd"] for label, params in candidates.items()}
tuned = leaderboard.compare(fitted, "rmse", 0, study.preset.resamples)
shown = {"place": nb.Column("Place", "By squared error; shared where a paired test can't tell", ".0f"),
         **{name: nb.measure_column(name) for name in ("rmse", "mae", "ndcg@10")}}  # fmt: skip
study.show(tuned, "tuned", "One model, three settings", {"label": "SVD by", **shown, "settings": "Settings"})

# %%
by_default, by_grid, by_search = tuned.to_dict("records")
empty = dict.fromkeys(["rmse_low", "rmse_high"])
ledger = [{"what": "The study's number (anti-test, fitted on all)", "rmse": reported, **empty},
          {"what": "The study's number for “always the mean”", "rmse": of_mean, **empty},
          {"what": "The study's SVD on stars given later", **by_grid},
          {"what": "“Always the mean” on stars given later", **constant}]  # fmt: skip
table = pd.DataFrame(ledger)[["what", "rmse", "rmse_low", "rmse_high"]].astype(dict.fromkeys([*empty, "rmse"], float))
error = nb.Column("RMSE, stars", "Lower is better only where the truth is real", ".3f")
study.show(table, "study", "What the study measured, and what it meant to measure", {"what": "Measured", "rmse": error})

# %% [markdown]
# ## 7 Where it wins and loses
#
# Errors by group: gender and age where the data says, and how much a person has watched. Whoever has rated little is
# known little; SVD++ was made for them, since *which* films they rated says something too.

# %%
top_raters = {name: results[name] for name in raters["model"].head(3)}
group_table = study.by_group(top_raters, "mae")
activity = group_table[(group_table["attribute"] == "activity") & (group_table["label"] == first["label"])]
hardest = activity.sort_values("value").iloc[-1]
study.figure(
    plots.group_plot(group_table, "value", "Mean absolute error, stars (lower is better)"),
    "groups",
    f"By activity, {first['label']} has its highest error for {hardest['group']} users: "
    f"{nb.number(hardest['value'], hardest['value_low'], hardest['value_high'])} stars",
    "One panel a kind of group; a marker and interval for each of the three best rating models.",
    group_table,
)

# %% [markdown]
# ## 8 Look at it
#
# For one person: the lists of the best star predictor, of the best list maker of this notebook, of Slope One, and the
# control. A ★ marks a film that the person went on to like. Which row would you want to see after work?

# %%
picked = dict.fromkeys([raters["model"].iloc[0], board["model"].iloc[0], "slope_one", "popularity"])
someone = study.typical_users(1)[0]
study.show_history(someone, 5)
study.show_lists({name: results[name] for name in picked}, someone)

# %% [markdown]
# ## 9 Cost
#
# The study made a list by asking Surprise for one prediction after another. The same stars come from one matrix
# product; the answer says what either takes, after checking that both give the same lists.

# %%
made = audit.listing(study.split)
study.show_board(
    board, "cost", "What the models cost, and what else their lists do", ["coverage", "novelty"], cost=True
)

# %% [markdown]
# ## 10 Limits
#
# - Stars are known only for films that people chose to rate; every RMSE here, ours too, is about those. How well a
#   model would predict the stars of films nobody offered is not knowable from this data.
# - The split follows each person's own time, so later ratings of *other* people help all models alike. Errors
#   in published tables come from random splits, which let a model look into a person's future, and don't compare.
# - The search shown here is small and for SVD alone. The table under *Settings* says which settings come from our
#   search, of how many trials and on which data, and which are defaults.
# - One seed. The intervals speak of other people, not of other seeds, which move the factor models too.
#
# ## 11 Answer

# %% tags=["answer"]
makers, both = board.iloc[0], comparison.both_first(board)
judged = audit.judgement(reported, of_mean, by_grid["rmse"], constant["rmse"])
rank = 1 + int((tuned["ndcg@10"] > tuned.loc[tuned["rmse"].idxmin(), "ndcg@10"]).sum())
nb.answer(
    f"Here, yes. In first place for stars and for lists: {', '.join(both)}." if both else
    f"No. In first place for stars: {nb.tied(raters, 'place_rmse')}. {first['label']} has RMSE "
    f"{nb.measured(first, 'rmse')} and lists with NDCG@10 {nb.measured(first, 'ndcg@10')}; the lists of "
    f"{makers['label']} reach {nb.measured(makers, 'ndcg@10')}.",
    f"Among the rating models, {verdict}.",
    f"The original study's RMSE would be {reported:.3f} here, on a set where always answering the mean scores "
    f"{of_mean:.3f}. On stars given later its SVD has RMSE {nb.measured(by_grid, 'rmse')}, always the mean "
    f"{nb.measured(constant, 'rmse')}: the study's number {judged}.",
    f"A validation search of {winner.trials} trials gives SVD {audit.standing(by_search['place'], by_grid['place'])} "
    f"the study's grid: RMSE {by_search['rmse']:.3f} against {by_grid['rmse']:.3f}, {by_default['rmse']:.3f} with the "
    f"library's default. Of these three, the one with the lowest error is number {rank} by its lists.",
    f"Predicting one film after another took {made.one_by_one:.1f} ms a person, one matrix product {made.at_once:.2f} "
    f"ms, with the same list for {made.equal:.0%} of the people compared.",
)  # fmt: skip

# %% [markdown]
# ## References
#
# - S. Funk (2006). Netflix update: try this at home. sifter.org.
# - Y. Koren, R. Bell, C. Volinsky (2009). Matrix factorization techniques for recommender systems. Computer 42(8).
# - Y. Koren (2008). Factorization meets the neighborhood. KDD.
# - Y. Koren (2010). Factor in the neighbors. ACM TKDD 4(1).
# - X. Luo, M. Zhou, Y. Xia, Q. Zhu (2014). An efficient non-negative matrix-factorization-based approach to
#   collaborative filtering for recommender systems. IEEE TII 10(2).
# - D. Lemire, A. Maclachlan (2005). Slope One predictors for online rating-based collaborative filtering. SDM.
# - T. George, S. Merugu (2005). A scalable collaborative filtering framework based on co-clustering. ICDM.
# - Y. Hu, Y. Koren, C. Volinsky (2008). Collaborative filtering for implicit feedback datasets. ICDM.
# - S. Rendle, W. Krichene, L. Zhang, Y. Koren (2022). Revisiting the performance of iALS. RecSys.
# - P. Cremonesi, Y. Koren, R. Turrin (2010). Performance of recommender algorithms on top-N tasks. RecSys.
# - N. Hug (2020). Surprise: a Python library for recommender systems. JOSS 5(52).
#
# ## Settings

# %%
nb.provenance_note(study, results)
