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
# # What do descriptions add, and who needs them?
#
# *LightFM with genres, decade, age, gender and work; people who have just signed up; films that nobody has rated.*

# %% [markdown] tags=["badge", "hide"]
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/ai-cine/ai-cine/blob/main/notebooks/06_hybrid_lightfm.ipynb)

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
people = 150  # new people to measure at least; more folds of them take longer
seeds = 2  # trainings of each LightFM, with as many seeds, behind the comparison of features

# %% [markdown]
# ## 1 Question
#
# Every model so far knows a film by who rated it and a person by what they rated. T knows more: a film has genres and a
# year, a person may have told their age, gender and work. Does it help to say so? And if not for those who are known
# well, does it help the two whom ratings can't help at all: the person who has just signed up, and the film that
# nobody has rated?
#
# **What would change our mind.** If descriptions moved no list by more than chance, and new people and new films were
# served as well without them, T could stop asking for birthdays and filling in genres.

# %%
import pandas as pd
import seaborn as sns

from aicine_utils import columns as c
from aicine_utils import experiment
from aicine_utils import inspection
from aicine_utils import notebook as nb
from aicine_utils.models import base, features, registry
from aicine_utils.report import plots
from aicine_utils.study import cold, comparison, guided, newcomers

study = nb.open_study("06_hybrid_lightfm", dataset, preset, seed)

# %% [markdown]
# ## 2 The data as these models see it
#
# Ratings as before, and beside them one row of labels for each film and each person. Titles are left to notebook 03.

# %%
study.show(
    features.kinds(study.data.movies, study.data.users),
    "features",
    "What is known apart from ratings",
    {"kind": "Kind", "n": nb.Column("Values", "Different values", ","), "most": "Most frequent value",
     "known": nb.Column("Described", "Films or people with a value", ",")},
)  # fmt: skip

# %% [markdown]
# ## 3 Models
#
# **LightFM** (Kula 2015) is matrix factorisation in which the vector of a film is the sum of its own vector and those
# of its features, and likewise for people. With $f_u$, $f_i$ the features of person and film, each with a vector $e$
# and a bias $b$:
#
# $$\text{score}(u, i) = \Big(\sum_{j \in f_u} w_j\,e_j\Big)^{\!\top}\Big(\sum_{j \in f_i} w_j\,e_j\Big) + b_u + b_i$$
#
# The identity weighs 1, all other features of a row together a weight that is a setting. Four versions differ in what
# they are told: **ids alone**, **films described** (genres, decade), **people described** (gender, age group, work) and
# **both**.
#
# Three losses: **WARP** (Weston et al. 2011) looks for a film that wrongly stands above a watched one, and corrects the
# more the sooner it finds one; **BPR** (Rendle et al. 2009) corrects one random pair at a time; **logistic** tells
# films that were liked from those rated lower, and never sees a film that was not rated.
#
# Controls: the most liked films, iALS, EASE.

# %% [markdown]
# ## 4 Training
#
# Adagrad steps, one thread, so that the same seed gives the same lists. The curves are measured on validation ratings
# that the models of this section did not see; the number of epochs is one of the settings at the end of this page.

# %%
curves = study.keep(
    "curves",
    lambda: inspection.while_training(["lightfm_ids", "lightfm_both", "lightfm_logistic"], study.split, seed),
    "aicine_utils.inspection",
    runs=[experiment.key(registry.create(name, study.data.name), study.split) for name in registry.names("hybrid")],
)
ends = curves.groupby("label", sort=False)["ndcg@10"].last()
study.figure(
    plots.curve_plot(curves, "epoch", "ndcg@10", "label", y_label="NDCG@10 on validation"),
    "curves",
    "On validation, " + ", ".join(f"{label} ends at {value:.3f}" for label, value in ends.items()),
    "Lines of NDCG@10 on validation over the epochs of training, one a model.",
    curves,
)

# %% [markdown]
# ## 5 Results

# %%
controls = ["popularity", "ials", "ease"]
results = study.run([*controls, *registry.names("hybrid")])
board = study.leaderboard(results)
study.show_board(board, "results", "Lists of LightFM and the controls", ["place", *nb.RANKING])

# %%
first = board.iloc[0]
hybrids = board[board["family"] == "hybrid"]
study.figure(
    plots.interval_plot(board, "ndcg@10"),
    "intervals",
    f"{first['label']} leads with NDCG@10 {first['ndcg@10']:.3f}; the best LightFM is {hybrids.iloc[0]['label']} with "
    f"{hybrids.iloc[0]['ndcg@10']:.3f}",
    "Dot and interval of NDCG@10 for each model, best on top.",
    board[["label", "family", "ndcg@10", "ndcg@10_low", "ndcg@10_high"]],
)

# %% [markdown]
# ### What does each description add?
#
# Intervals above are wide because people differ. Compared on the same people, and averaged over several trainings, the
# difference to the model with ids alone is known better. Each model has settings of its own. The losses are compared in
# the same way, with both sides described.

# %%
described = ["lightfm_movies", "lightfm_users", "lightfm_both"]
runs = [experiment.run_all(["lightfm_ids", *described], study.split, seed + more) for more in range(seeds)]
added = comparison.differences(comparison.over_seeds(runs), registry.entry("lightfm_ids").label)
added = added.rename_axis("label").reset_index().assign(family="hybrid")
rest = comparison.over_seeds([{name: results[name] for name in ("lightfm_both", "lightfm_bpr", "lightfm_logistic")}])
losses = comparison.differences(rest, registry.entry("lightfm_both").label)

# %%
shown = added.set_axis(["label", "gain", "gain_low", "gain_high", *added.columns[4:]], axis=1)
fig = plots.interval_plot(shown, "gain", "Difference in NDCG@10 to ids alone")
fig.axes[0].axvline(0, color=plots.MUTED, linewidth=1, linestyle="--")
study.figure(
    fig,
    "added",
    "Descriptions change NDCG@10 by "
    + ", ".join(f"{nb.number(*row[1:4])} ({row.label.partition(', ')[2]})" for row in shown.itertuples(index=False)),
    "Dot and paired interval of the difference to LightFM with ids alone, for each kind of description.",
    shown,
)
nb.say(*(f"{r.Index} differs from WARP by {nb.number(r.difference, r.low, r.high)}." for r in losses.itertuples()))

# %% [markdown]
# ## 6 Where it wins and loses
#
# If descriptions stand in for ratings, they should help people with short histories and films with few viewers.

# %%
panel = {name: results[name] for name in ("popularity", "ease", "lightfm_ids", "lightfm_both")}
by_person, by_film = study.by_group(panel, "recall@10"), study.by_shelf(panel).query("group != 'new'")
panels = pd.concat([by_person[by_person["attribute"].isin(["activity", "gender"])], by_film], ignore_index=True)
light = panels[panels["group"] == "light"].set_index("label")["value"]
plain, both = (registry.entry(name).label for name in ("lightfm_ids", "lightfm_both"))
study.figure(
    plots.group_plot(panels, "value", "Recall@10"),
    "where",
    "Recall for short histories: "
    + (f"{light[plain]:.3f} with ids alone, {light[both]:.3f} with both described" if len(light) else "nobody has one"),
    "Recall@10 with intervals; panels by gender where known, activity of the person, popularity of the film.",
    panels,
)

# %% [markdown]
# ## 7 Look at it
#
# One person's last films and four lists; a ★ marks what they went on to like. Then the trained model is read back from
# its files, which are plain arrays, and asked for every list once more.

# %%
someone = study.typical_users(1)[0]
study.show_history(someone, 5)
study.show_lists(panel, someone)
kept = results["lightfm_both"]
again = kept.model().recommend(kept.topk[c.USER].unique(), base.LIST_LENGTH)
same = again[c.MOVIE].equals(kept.topk[c.MOVIE])
nb.say(f"Read back from its files, {both} makes {'the same lists' if same else 'other lists: a defect'}.")

# %% [markdown]
# ## 8 New people
#
# A fifth of all people at a time is hidden whole; everyone else's ratings train the models. Of a hidden person the
# models are then told the first few ratings or none, and a list of ten is asked for. As many as are told at most stay
# out of every list, told or not, so that all numbers are about the same later films, and only knowledge differs. A
# model that is told nothing it can use shows the most liked films.
#
# A short history is taken at its word by most models. So each is measured once more with the **most liked films behind
# it**: both scores standardised, the history counting $n/(n+m)$, with one $m$ for all data, chosen on MovieLens.
# The GRU, a network that reads a history film by film, is the subject of notebook 07; the blend of iALS, EASE and item
# k-NN that of notebook 10.

# %%
new = newcomers.people(study, people).query("model != 'random'")
new = new.assign(label=new["model"].map(lambda name: registry.entry(name).label))
new["who"] = new["label"] + new["behind"].map({True: " + most liked", False: ""})
means = cold.summary(new, ["label", "behind"], ["given"], study.preset.resamples)
steps, liked = sorted(new["given"].unique()), registry.entry("popularity").label

# %%
lines = pd.concat([means, means[means["label"] == liked].assign(behind=True)])
lines["panel"] = lines["behind"].map({True: "Most liked behind it", False: "The model alone"})
alone = means[(means["given"] == steps[1]) & ~means["behind"]].set_index("label")["mean"]
colours = ["ink", "grey", "sky", "orange", "yellow", "green", "blue", "brown", "purple", "vermillion"]
panels = sns.relplot(
    lines, x="given", y="mean", hue="label", style="label", col="panel", kind="line", markers=True, dashes=False,
    height=3.4, palette=[plots.COLOURS[name] for name in colours],
)  # fmt: skip
panels.set(xlabel="Ratings known", ylabel="NDCG@10", xticks=steps).set_titles("{col_name}")
panels.legend.set_title("")
study.figure(
    panels.figure,
    "new_people",
    f"Told {steps[1]} rating, {(alone < alone[liked]).sum()} of {len(alone) - 1} models alone do worse than showing "
    "what most people like",
    "Two panels of lines, one line a model: NDCG@10 for new people over the number of ratings known.",
    means,
)

# %%
best = cold.best_by(new, "given", "who", liked)
count = nb.Column("In first place", "Models that a paired test with Holm's correction can't tell from the best", ".0f")
study.show(
    best,
    "new_people_best",
    f"The best list for {new[c.USER].nunique():,} new people, by how much is known of them",
    {"given": "Ratings known", "who": "Best model", "mean": nb.measure_column("ndcg@10"), "tied": count,
     "gain": nb.Column("Gain over most liked", "Mean paired difference in NDCG@10", ".3f"),
     "low": nb.Column("from", "95 % interval of this pair alone, not corrected for choosing the best", ".3f"),
     "high": nb.Column("to", "The same", ".3f")},
)  # fmt: skip

# %% [markdown]
# ## 9 New films
#
# A tenth of the films is hidden whole, with all their ratings. Content models and LightFM with films described can
# score them. The others borrow: a new film takes the mean score of its 20 nearest rated films (TF-IDF). Two
# questions: who orders the new films **among themselves** best, and whose lists, **inside the whole catalogue**, show
# them to the people who like them?

# %%
films, without = newcomers.films(study), cold.hide_movies(study.data, seed=seed)
films["who"] = films["model"].map(lambda name: registry.entry(name).label)
films["who"] += films["through"].map({True: " of the neighbours", False: ""})
ranks = cold.summary(films, ["who"], ["candidates"], study.preset.resamples)

# %%
ranks["shown"] = ranks.set_index(["who", "candidates"]).index.map(films.groupby(["who", "candidates"])["new"].mean())
wide = ranks.pivot(index="who", columns="candidates", values=["mean", "low", "high", "place", "shown"])
wide = (
    wide.set_axis([f"{a}_{b}" for a, b in wide.columns], axis=1).sort_values("mean_new", ascending=False).reset_index()
)
study.show(
    wide,
    "new_films",
    f"{without.test[c.MOVIE].nunique():,} new films and the {films[c.USER].nunique():,} people who like one of them",
    {"who": "Model", "place_new": nb.Column("Place", "Among new films; shared where paired tests can't tell", ".0f"),
     "mean_new": nb.Column("Among themselves", "NDCG@10 of lists of new films only", ".3f"),
     "place_all": nb.Column("Place", "Inside the whole catalogue", ".0f"),
     "mean_all": nb.Column("In the catalogue", "NDCG@10 of lists from all films, for the new ones", ".3f"),
     "shown_all": nb.Column("New in the list", "Share of the ten films shown that are new", ".1%")},
)  # fmt: skip

# %% [markdown]
# ## 10 A guided start
#
# Instead of waiting for ratings, T can ask: *did you watch this, and like it?* (Where EASE's setting `liked` is 0,
# having watched it is a yes.) Ten questions, the same for everybody. Hidden people answer from the earlier half of
# their ratings; the later half is what a list should find. On half of these people each question is chosen greedily, as
# the one among the 200 most rated films whose answers raise NDCG@10 most, with EASE and the most liked films behind it.
# The other half measures the choice against asking for the ten most rated films, and for ten at random.

# %%
half = cold.hide_users(study.data, share=0.4, seed=seed, told=0.5)
asked = study.keep(
    "guided", lambda: guided.compare(half, seed), "aicine_utils.study.guided", run=results["ease"].folder.name
)
by_choice = cold.summary(asked, ["choice"], ["asked"], study.preset.resamples)
final = asked[asked["asked"] == asked["asked"].max()].pivot(index=c.USER, columns="choice", values=c.VALUE)
over = comparison.differences(final, guided.POPULAR).loc[guided.GREEDY]
start = by_choice.loc[by_choice["asked"] == 0, "mean"].iloc[0]
yes = asked.groupby(["choice", "asked"])["answers"].mean()

# %%
fig = plots.curve_plot(by_choice, "asked", "mean", "choice", "Questions asked", "NDCG@10 of new people")
study.figure(
    fig,
    "guided",
    f"Ten questions take the list from {start:.3f} to "
    + ", ".join(
        f"{final[name].mean():.3f} ({name.lower()})" for name in (guided.GREEDY, guided.POPULAR, guided.RANDOM)
    ),
    "Lines of NDCG@10 over the number of questions asked, one for each way to choose them.",
    by_choice,
)
chosen = asked[(asked["choice"] == guided.GREEDY) & (asked["asked"] > 0)].groupby("asked", as_index=False)
chosen = study.titles(chosen.agg(**{c.MOVIE: (c.MOVIE, "first"), "value": (c.VALUE, "mean")}))
chosen["yes"] = yes[guided.GREEDY].diff().iloc[1:].to_numpy()

# %%
study.show(
    chosen,
    "guided_questions",
    "What to ask, in this order",
    {"asked": "Question", c.TITLE: "Film", c.YEAR: "Year", c.GENRES: "Genres",
     "yes": nb.Column("Yes", "Share of the people measured", ".0%"),
     "value": nb.Column("NDCG@10 then", "Mean over the people measured, after the answer", ".3f")},
)  # fmt: skip

# %% [markdown]
# ## 11 Cost
#
# LightFM can train on several threads, which write into each other's vectors, so that no training is like another. We
# use one; `benchmarks/lightfm_threads.py` measures what that costs.

# %%
study.show_board(board, "cost", "What the models cost, and what else their lists do", nb.BEYOND, cost=True)

# %% [markdown]
# ## 12 Limits
#
# - The descriptions are thin: genres, a year, and at most three facts about a person, given once. Casts, plots and
#   trailers might say more.
# - Hidden people and films are chosen at random among those that are known. Whoever left after three ratings is hardly
#   among them; and a hidden film's later fame is unknown to the models, but people found it somehow.
# - Settings that were searched (the table below says which) were searched for known people and films, on validation
#   ratings that the people and films hidden here gave a part of; none was searched for newcomers.
# - The guided start counts only a yes. That someone has *not* seen a famous film says something too.
#
# ## 13 Answer

# %% tags=["answer"]
gain, early = shown.set_index("label").loc[both, ["gain", "gain_low", "gain_high", "sign"]], best.set_index("given")
meaning = {1: "a gain", -1: "a loss", 0: "which may be chance"}[int(gain["sign"])]
sure = early.index[early["sure"]]
since = f"is above chance at {', '.join(map(str, sure))} known ratings" if len(sure) else "is above chance at no step"
since += ", once corrected for choosing the best"
first_new = wide.loc[wide["place_new"] == 1, "who"].tolist()
orderer = wide.iloc[0]["who"] + (" orders them best" if len(first_new) == 1 else
                                 f" orders them best, in a first place of {len(first_new)}")  # fmt: skip
ordered = wide.sort_values("mean_all", ascending=False).iloc[0]
nb.answer(
    f"For people and films that are known, describing both changes LightFM's NDCG@10 by {nb.number(*gain[:3])} "
    f"({meaning}). {nb.versus(results['lightfm_both'], results['popularity'])}; "
    f"{nb.versus(results['lightfm_both'], results['ease'])}.",
    f"New people: told nothing, {early.loc[0, 'who']} is best with {early.loc[0, 'mean']:.3f}, most liked has "
    f"{early.loc[0, 'mean'] - early.loc[0, 'gain']:.3f}; told {steps[-1]} ratings, {early.loc[steps[-1], 'who']} with "
    f"{early.loc[steps[-1], 'mean']:.3f}. The best model's gain over most liked {since}.",
    f"New films: {orderer} ({wide.iloc[0]['mean_new']:.3f}; at random "
    f"{wide.set_index('who').loc['Random', 'mean_new']:.3f}), and {ordered['who']} brings them best to people through "
    f"the whole catalogue, with {ordered['shown_all']:.0%} of its list new.",
    f"Ten chosen questions instead of the ten most rated films change a new person's NDCG@10 by "
    f"{nb.number(over['difference'], over['low'], over['high'])}.",
)  # fmt: skip

# %% [markdown]
# ## References
#
# - M. Kula (2015). Metadata embeddings for user and item cold-start recommendations. CBRecSys at RecSys.
# - J. Weston, S. Bengio, N. Usunier (2011). WSABIE: scaling up to large vocabulary image annotation. IJCAI.
# - S. Rendle, C. Freudenthaler, Z. Gantner, L. Schmidt-Thieme (2009). BPR: Bayesian personalized ranking from implicit
#   feedback. UAI.
# - F. Niu, B. Recht, C. Ré, S. Wright (2011). Hogwild! A lock-free approach to parallelizing stochastic gradient
#   descent. NIPS.
# - A. Rashid et al. (2002). Getting to know you: learning new user preferences in recommender systems. IUI.
# - N. Golbandi, Y. Koren, R. Lempel (2011). Adaptive bootstrapping of recommender systems using decision trees. WSDM.
# - H. Steck (2019). Embarrassingly shallow autoencoders for sparse data. WWW.
#
# ## Settings

# %%
nb.provenance_note(study, results)
