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
# # Do people like you, or films like yours, know what you want?
#
# *Neighbours among people and among films: for lists, for stars, and for an honest “because you watched”.*

# %% [markdown] tags=["badge", "hide"]
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/ai-cine/ai-cine/blob/main/notebooks/04_neighbourhood.ipynb)

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
# Two old ideas need no training to speak of. *People like you*: find those whose history resembles yours, and look at
# what else they watched. *Films like yours*: find films that the same people watched, and skip the people. The original
# study compared both by their stars; of their lists it measured RecBole's film neighbours alone. Whether stars and
# lists are the same skill is asked in section 5.
#
# **What would change our mind.** If neighbours did not beat the list of most liked films, personal lists would have to
# wait for heavier models. If a neighbourhood model ties with the best of the later notebooks, T should ship it: it can
# explain each film in six words, and answers a new person without training again.

# %%
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt

from aicine_utils import columns as c
from aicine_utils import inspection
from aicine_utils import notebook as nb
from aicine_utils.models import registry
from aicine_utils.report import plots

study = nb.open_study("04_neighbourhood", dataset, preset, seed)
split = study.split.for_test()

# %% [markdown]
# ## 2 The data as these models see it
#
# A table of people by films with a one wherever there is a rating; for the models that predict stars, the stars
# themselves. A similarity rests on what two rows or two columns have in common. How much is that?

# %%
study.show(
    inspection.overlap(split),
    "overlap",
    "How much two of them have in common",
    {
        "kind": "Two",
        "pairs": nb.Column("Pairs", "How many pairs there are", ","),
        "some": nb.Column(
            "Something in common", "Share of pairs: films that both rated, or people who rated both", ".0%"
        ),
        "enough": nb.Column("Ten or more", "Share of pairs", ".0%"),
    },
)

# %% [markdown]
# ## 3 Models
#
# **For lists.** The cosine between two histories, shrunk so that little overlap counts little, decides who is near:
#
# $$s(a, b) = \frac{|a \cap b|}{\sqrt{|a|\,|b|} + \text{shrink}}$$
#
# - **User k-NN** (Herlocker et al. 1999) adds up the similarities of the $k$ nearest people who watched the film.
# - **Item k-NN** (Deshpande and Karypis 2004) adds up the similarities between the film and those that the person
#   watched, as far as they are among its $k$ nearest.
# - **EASE** (Steck 2019) is item k-NN's clever cousin. It *learns* all weights between films at once, by least squares
#   that may not use a film to explain itself, and needs one matrix inversion:
#   $B = I - P \cdot \text{diag}(1 / \text{diag}\,P)$ with $P = (X^\top X + \lambda I)^{-1}$.
#
# **For stars**, from scikit-surprise, both with neighbours among films:
#
# - **k-NN with means**: the film's mean, corrected by how the person's stars for its neighbours deviate from theirs.
# - **k-NN baseline** (Koren 2010): the same around $\mu + b_u + b_i$, the usual level of this person for this film.
#
# Their controls are the mean of each film and the baseline alone.

# %% [markdown]
# ## 4 Settings: how many neighbours, how much doubt
#
# There is no training curve, but there are two dials. Each point below was fitted without the validation ratings and
# measured on them; the test has no part in it. The line for scale is the list of most liked films.

# %%
dials = {"k": [5, 20, 80, 320], "shrink": [0.0, 10.0, 100.0]}
grid = study.keep(
    "knn_grid",
    lambda: inspection.on_validation(["user_knn", "item_knn"], study.split, seed, **dials),
    "aicine_utils.inspection",
    **dials,
)
bar = inspection.on_validation(["popularity"], study.split, seed)["ndcg@10"].iloc[0]

# %%
grid["Shrinkage"] = grid["shrink"].map("{:g}".format)
peaks = grid.loc[grid.groupby("label")["ndcg@10"].idxmax()]
colours = [plots.COLOURS[name] for name in ("sky", "blue", "vermillion")]
panels = sns.relplot(
    grid, x="k", y="ndcg@10", hue="Shrinkage", style="Shrinkage", col="label", kind="line",
    markers=True, dashes=False, palette=colours, height=3, aspect=1,
)  # fmt: skip
panels.set(xscale="log", xlabel="Neighbours k (log scale)", ylabel="NDCG@10 on validation", xticks=dials["k"])
panels.set(xticklabels=dials["k"]).refline(y=bar, color=plots.MUTED).set_titles("{col_name}")
study.figure(
    panels.figure,
    "dials",
    "On validation, "
    + "; ".join(f"{row.label} is best here with k = {row.k}, shrinkage {row.shrink:g}" for row in peaks.itertuples()),
    "Two panels of lines: NDCG@10 over the number of neighbours, one line for each shrinkage; dashed line: most liked.",
    grid,
)

# %% [markdown]
# ## 5 Results

# %%
rankers, raters = (
    ["popularity", "user_knn", "item_knn", "ease"],
    ["mean_rating", "baseline", "knn_means", "knn_baseline"],
)
results = study.run([*rankers, *raters])
board = study.leaderboard(results)
study.show_board(board, "results", "Lists by neighbours, and the controls", ["place", *nb.RANKING])

# %%
by_name = board.set_index("model")
first = board.iloc[0]
above = (board["ndcg@10"] > by_name.loc["popularity", "ndcg@10"]).sum()
study.figure(
    plots.interval_plot(board, "ndcg@10"),
    "intervals",
    f"{first['label']} leads with NDCG@10 {first['ndcg@10']:.3f}; {above} of {len(board) - 1} score above most liked",
    "Dot and interval of NDCG@10 for each model, best on top.",
    board[["label", "family", "ndcg@10", "ndcg@10_low", "ndcg@10_high"]],
)

# %% [markdown]
# ### Good at stars, good at lists?
#
# The models for stars are asked for both: the error of their stars on the test, and the list of the films for which
# they promise most.

# %%
stars = board[board["model"].isin(raters)].sort_values("rmse", ignore_index=True)
study.show_board(stars, "stars", "Stars and lists of the same models", ["place_rmse", *nb.RATING, "place", "ndcg@10"])

# %% [markdown]
# Why do they rank as they do? The first suspect is rarity: a film that three people loved has a splendid mean. The
# boxes show how many ratings the films in the lists have, beside the films that people did like in the test.

# %%
star_knn = {name: registry.entry(name).label for name in ("knn_means", "knn_baseline")}
lists = {registry.entry(name).label: results[name].topk.query(f"{c.RANK} <= 10") for name in [*rankers, *star_knn]}
views = inspection.views_of({**lists, "Liked in the test": study.split.relevant(study.split.test)}, split)
middle = views.groupby("label", sort=False)["views"].median()
fig, ax = plt.subplots(figsize=(5.4, 3.4))
colour = plots.COLOURS["sky"]
sns.boxplot(
    views.assign(views=views["views"] + 1), x="views", y="label", log_scale=True, showfliers=False, color=colour
)
ax.set(xlabel="Training ratings of the film, plus 1 (log scale)", ylabel="")
study.figure(
    fig,
    "rarity",
    f"Half of the films that people liked have up to {middle['Liked in the test']:.0f} ratings; of those shown by "
    + ", ".join(f"{label} {middle[label]:.0f}" for label in star_knn.values()),
    "One box a model: quartiles of the number of training ratings of the films in its lists of ten.",
    views.groupby("label", sort=False)["views"].describe().reset_index(),
)

# %% [markdown]
# If rarity were the whole story, barring rare films would mend the lists. So let us bar them, step by step. This looks
# at test ratings to understand, not to choose: nothing in the report is set by it.

# %%
allowed = [1.0, 0.5, 0.2, 0.1, 0.05]
suspects = {registry.entry(name).label: results[name] for name in [*star_knn, "item_knn"]}
barred = study.keep(
    "barred",
    lambda: inspection.without_rare({label: run.model() for label, run in suspects.items()}, split, allowed),
    "aicine_utils.inspection",
    runs=[run.folder.name for run in suspects.values()],
    allowed=allowed,
)

# %%
peaks = barred.groupby("label")["ndcg@10"].agg(["first", "max"]).loc[list(star_knn.values())]
fig = plots.curve_plot(barred, "share", "ndcg@10", "label", "Share of films allowed, the most rated ones (log scale)")
fig.axes[0].set(xscale="log", xticks=allowed, xticklabels=[f"{share:.0%}" for share in allowed], ylim=(0, None))
fig.axes[0].invert_xaxis()
study.figure(
    fig,
    "barred",
    "Barring rare films: " + ", ".join(f"{r.Index} goes from {r.first:.3f} to {r.max:.3f}" for r in peaks.itertuples()),
    "One line a model: NDCG@10 when only the most rated share of the films may be shown, from all to few.",
    barred,
)

# %%
goal = by_name.loc["item_knn", "ndcg@10"]
nb.say(
    f"Item k-NN, with all films, has {goal:.3f}.",
    "Barring rare films brings a model for stars that far, so rarity explains its lists."
    if peaks["max"].max() >= goal
    else "No bar brings the models for stars that far, so rarity is not the whole story. A predicted star says how "
    "much a person would like a film *once watched*; a list also has to guess what the person would watch.",
)

# %% [markdown]
# ## 6 Where it wins and loses
#
# Neighbours come from overlap, so people with short histories and films with few viewers are the hard cases. Gender is
# not given to these models; where the data set knows it, the panel asks whether the lists serve both alike.

# %%
panel = {name: results[name] for name in rankers}
groups = study.by_group(panel, "recall@10")
shelves = study.by_shelf(panel).query("group != 'new'")
panels = pd.concat([groups[groups["attribute"].isin(["activity", "gender"])], shelves], ignore_index=True)
activity = panels[panels["attribute"] == "activity"]
fewest, rarest = activity["group"].iloc[0], shelves["group"].iloc[-1]  # where all are alike, there is but one group
light = activity[activity["group"] == fewest].sort_values("value", ascending=False).iloc[0]
tail = shelves[shelves["group"] == rarest].sort_values("value", ascending=False).iloc[0]
study.figure(
    plots.group_plot(panels, "value", "Recall@10"),
    "where",
    f"Recall for people of {fewest} activity reaches {light['value']:.3f} ({light['label']}), for films of the "
    f"{rarest} {tail['value']:.3f} ({tail['label']})",
    "Recall@10 with intervals; panels by gender where known, activity of the person, popularity of the film.",
    panels,
)

# %% [markdown]
# ## 7 Look at it
#
# What models of this kind can do: say why. For each film of the list, the watched film that speaks loudest for it, and
# how much of the score is its own. A small share means a choir, not a soloist: read such a reason with a smile.

# %%
someone, another = study.typical_users(2)
study.show_history(someone)
study.show_reasons(results["item_knn"], someone)

# %%
study.show_reasons(results["ease"], someone)

# %%
study.show_lists(panel, another)
study.show_similar({name: results[name] for name in ("item_knn", "ease")}, study.well_known(1)[0])

# %% [markdown]
# ## 8 Cost and reach

# %%
study.show_board(board, "cost", "What else the lists do, and what they cost", nb.BEYOND, cost=True)
sizes = by_name.loc[["user_knn", "item_knn", "ease"], ["label", "fit_seconds", "parameters"]]
nb.say(
    *(f"{r.label} trained in {r.fit_seconds:.2f} s and keeps {r.parameters:,.0f} numbers." for r in sizes.itertuples()),
    f"EASE's matrix grows with the square of the catalogue ({len(split.movie_ids):,} films here): ten times the films,",
    "a hundred times the memory. The neighbour lists grow in step with it.",
)

# %% [markdown]
# ## 9 Limits
#
# - Neighbours need overlap: a film that nobody has rated is nobody's neighbour, and a person with no history has none.
# - A count of common films can't tell loving from loathing; the list models at most leave low ratings out
#   (`liked` in the settings), and use no stars beyond that.
# - Films that many people watched have many neighbours. Whether that is taste or exposure, the data can't say.
# - Settings come from a search on validation ratings, of this data set or another, or are defaults, as the table below
#   says; elsewhere the best $k$ will differ.

# %% [markdown]
# ## 10 Answer

# %% tags=["answer"]
user, item, ease, most = (results[name] for name in ("user_knn", "item_knn", "ease", "popularity"))
versus_most = nb.gap(item, most).low > 0, nb.gap(user, most).low > 0
verdict = {(True, True): "Both do", (True, False): "Films like yours do", (False, True): "People like you do"}
nb.answer(
    f"**{verdict.get(versus_most, 'Neither knows more than a list of what everybody likes')}.** "
    f"{nb.versus(item, most)}; {nb.versus(user, most)} (NDCG@10).",
    f"Between the two: {nb.versus(item, user)}. {nb.versus(ease, item)}.",
    f"For stars, {stars.iloc[0]['label']} errs least with RMSE {nb.measured(stars.iloc[0], 'rmse')}; its list reaches "
    f"NDCG@10 {stars.iloc[0]['ndcg@10']:.3f}, that of {first['label']} {first['ndcg@10']:.3f}. A model for stars is "
    f"{'no' if stars['ndcg@10'].max() < by_name.loc['item_knn', 'ndcg@10_low'] else 'also a'} model for lists here.",
)

# %% [markdown]
# ## References
#
# - J. L. Herlocker, J. A. Konstan, A. Borchers, J. Riedl (1999). An algorithmic framework for performing collaborative
#   filtering. SIGIR.
# - B. Sarwar, G. Karypis, J. Konstan, J. Riedl (2001). Item-based collaborative filtering recommendation algorithms.
#   WWW.
# - M. Deshpande, G. Karypis (2004). Item-based top-N recommendation algorithms. ACM TOIS 22(1).
# - Y. Koren (2010). Factor in the neighbors: scalable and accurate collaborative filtering. ACM TKDD 4(1).
# - H. Steck (2019). Embarrassingly shallow autoencoders for sparse data. WWW.
#
# ## Settings

# %%
nb.provenance_note(study, results)
