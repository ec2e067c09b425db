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
# # Which recommender should T ship, for which job, and how sure are we?
#
# *Every model on the same split, the same people and the same measures, with what it costs and how sure the order is.*

# %% [markdown] tags=["badge", "hide"]
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/ai-cine/ai-cine/blob/main/notebooks/10_comparison.ipynb)

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
preset = "quick"  # mock, quick or full: how many bootstrap resamples
seed = 0  # seed of every model in this notebook
minutes = 30.0  # what T can spend on one model: minutes to train and to answer every test user
memory = 4000.0  # and megabytes
seeds = 3  # trainings of the leading models, with as many seeds, where the preset's seconds for it allow

# %% [markdown]
# ## 1 Question
#
# T has five jobs to fill: a **home row** of films that a person is likely to enjoy next, the **stars** shown beside a
# film, a row **because you watched** one, a first row for a **new user**, and a row of **new movies**. The original
# study answered with one winner for lists and one for stars, from different splits and without a margin. Here the
# models of a job meet the same people, and each verdict comes with its interval and its runner-up.
#
# **What would change our mind.** A model that a paired test can't tell from the best and that is much cheaper is the
# better choice: the decisions below take the highest mean in first place, unless another gives up less than a
# twentieth of it (of stars, 0.005) at less than half the cost and saves a fiftieth of T's budget of seconds at least,
# since less is nothing to a service; a blend, several models to keep, gives way whatever the saving. Where a job has
# controls, lists that know nothing of what they should use, a model must surely beat each of them. The home row has
# one rule more: where its leader is behind under one cut in time for everyone (section 10), it gives way to the
# personal models that keep a first place there, and the same rule chooses among them by section 5; a list for all
# takes nobody's place. Section 12 computes for each job how far its choice is from another.

# %%
import numpy as np
import pandas as pd
import seaborn as sns

from aicine_utils import columns as c
from aicine_utils import findings, leaderboard
from aicine_utils import notebook as nb
from aicine_utils import splits
from aicine_utils.models import registry
from aicine_utils.report import budgets, plots, tables
from aicine_utils.study import ageing, because_watched, comparison, distinct, finalists, jobs, leaks, newcomers
from aicine_utils.study import seeds as reseeding

study = nb.open_study("10_comparison", dataset, preset, seed)

# %% [markdown]
# ## 2 The data as every model sees it
#
# Each person's own last ratings are the test; what they liked there (four of five stars, or as high on another
# scale) is what a good list would show. Lists are made from all films seen in training minus the person's own; nobody
# is sampled, nothing is pre-selected.

# %%
split = study.split
relevant = split.relevant(split.test)
with_test, measured_users = split.test[c.USER].nunique(), relevant[c.USER].nunique()
sizes = {"Ratings to learn from": len(split.history), "Ratings in the test": len(split.test),
         "Liked films in the test": len(relevant), "People with a test": with_test,
         "People whose lists are measured": measured_users}  # fmt: skip
study.show(
    pd.Series(sizes, name="count").rename_axis("what").reset_index(),
    "sizes",
    f"Split {split.protocol}: {with_test - measured_users} people have a test but nothing they liked in it",
    {"what": "What", "count": nb.Column("Count", format=",.0f")},
)

# %% [markdown]
# ## 3 Models
#
# One line each. *Stars* says who predicts ratings, *new people* and *new films* who can serve them without training
# again. Notebooks 02 to 09 explain the models; their kept runs are read here. Only the **blend** is at home here: it
# adds up the scores of iALS, EASE and item k-NN, each standardised for a person: $\sum_m w_m z_m(u, i)$ (Fox and Shaw
# 1994). Its weights are those of a grid that sums to one with the best NDCG@10 on validation (section 12 has them); the
# members are then trained again. What all three cost is in the blend's cost, one of weight 0 too, since its search
# needs it.

# %%
names = distinct.names(study.data)
entries = pd.DataFrame([vars(registry.entry(name)) for name in names])
entries["family"] = entries["family"].map(plots.family_label)
abilities = {"rates": "Stars", "new_users": "New people", "new_movies": "New films"}
entries[list(abilities)] = entries[list(abilities)].replace({True: "yes", False: ""})
study.show(entries.drop(columns="fixed"), "models", f"{len(names)} models",
           {"label": "Model", "family": "Family", **abilities, "citation": "Source"})  # fmt: skip
if left_out := distinct.left_out(study.data):
    nb.say(left_out)

# %% [markdown]
# ## 4 Training
#
# Runs that exist are read; what is missing is trained now, with one line each.

# %%
results = study.run(names)
board = study.leaderboard(results)

# %% [markdown]
# ## 5 Results
#
# Intervals come from resampling people. A **place** is shared by models that a paired test over people, with Holm's
# correction for all pairs of models, can't tell from the best of them. There is one place for lists and one for stars.

# %%
study.show_board(board, "leaderboard", "All models, best NDCG@10 first",
                 ["place", "ndcg@10", "hit@10", "place_rmse", "rmse"])  # fmt: skip
nb.say(nb.budgets(results), budgets.stopped(board, "en"))

# %%
study.figure(
    plots.interval_plot(board, "ndcg@10"),
    "ndcg",
    f"Lists: {nb.tied(board)} in first place, NDCG@10 {board['ndcg@10'].iloc[0]:.3f}",
    "Dot and interval of NDCG@10 for each model, best on top.",
    board[["label", "family", "ndcg@10", "ndcg@10_low", "ndcg@10_high", "place"]],
)

# %%
# Lists by mean rating have stars too, but were made to order films, not to predict: they are left out.
raters = board[board["rmse"].notna() & (board["family"] != "non_personalised")].sort_values("rmse")
study.figure(
    plots.interval_plot(raters, "rmse"),
    "rmse",
    f"Stars: {nb.tied(raters, 'place_rmse')} in first place, RMSE {raters['rmse'].iloc[0]:.3f}",
    "Dot and interval of RMSE for each model that predicts stars, lowest on top.",
    raters[["label", "family", "rmse", "rmse_low", "rmse_high", "place_rmse"]],
)

# %% [markdown]
# ### How sure is the order?
#
# Each model against the best, on the same people. The difference is what one would lose by shipping it instead; an
# effect of 0.2 is small, 0.5 medium, 0.8 large.

# %%
versus = leaderboard.places(results.values()).rename_axis("model").reset_index()
versus.insert(1, "label", [registry.entry(name).label for name in versus["model"]])
versus = versus.rename(columns={"difference_to_best": "difference", "low": "difference_low", "high": "difference_high"})
study.show(versus, "versus_best", f"NDCG@10 against {versus['label'].iloc[0]}", {
    "label": "Model",
    "place": nb.PLACES["place"],
    "difference": nb.Column("Difference", "Mean over people, with its 95 % interval", "+.3f"),
    "p_holm": nb.Column("p", "Paired t test, after Holm's correction", ".2g"),
    "effect": nb.Column("Effect", "Cohen's d of the paired differences", "+.2f"),
})  # fmt: skip

# %% [markdown]
# ### Would another seed say otherwise?
#
# An interval over people holds for the model as it was trained. Trained again with another seed, a model that starts
# from random numbers comes out a little different. The first five, and SVD and RaCT, which the original study chose,
# are trained again, the cheapest first, as far as the seconds for it go. *Between seeds* is the standard deviation of
# a mean over these trainings; *over people*, its standard error over people, which the interval shows; *apart*, that of
# its difference from the best model, which is smaller, since people are hard or easy for both. Places rest on the last.
# Three seeds tell the first only roughly. Everywhere else on this page each model is the one of the first seed.

# %%
chosen = reseeding.plan(board, seeds, study.preset.seed_seconds)
reseeded = reseeding.runs(results, chosen.again, study.split, seed, seeds)
spread = reseeding.table(reseeded, board, results)
board["seeds"] = reseeding.counted(board, chosen, seeds)
study.show(spread, "seeds", f"{len(chosen.again)} models, {seeds} trainings each", {
    "label": "Model",
    "measure": "Measure",
    "mean": nb.Column("Mean", "Over the seeds", ".4f"),
    "between": nb.Column("Between seeds", "Standard deviation of the mean between seeds", ".4f"),
    "people": nb.Column("Over people", "Standard error of the mean over people", ".4f"),
    "apart": nb.Column("Apart", "Standard error over people of the difference from the best", ".4f"),
})  # fmt: skip

# %%
nb.say(*reseeding.sentences(spread, reseeded, board, chosen, study.preset.seed_seconds))

# %% [markdown]
# ### Does the best at one job do the other?
#
# Left means low error, up means good lists. Models that predict no stars are not in the picture. Those that do had
# their settings searched for low error, not for good lists.

# %%
order = comparison.agreement(raters["rmse"], raters["ndcg@10"])
claim = {"agree": "Among models of stars, low errors and better lists go together",
         "oppose": "The lower the error, the worse the list",
         "unrelated": "Whether low errors make good lists can't be told from so few models"}[order.verdict]  # fmt: skip
best_rater, best_lists = raters.iloc[0], board.iloc[0]
study.figure(
    plots.cost_plot(raters, "rmse", "ndcg@10", "RMSE, stars (lower is better)", log=False),
    "orders",
    f"{claim} (τ = {order.tau:.2f}, p = {order.p:.2f}, {order.n} models)",
    "Each model that predicts stars by its RMSE and its NDCG@10.",
    raters[["label", "family", "rmse", "ndcg@10", "place", "place_rmse"]],
)

# %%
can_rate = pd.notna(best_lists["rmse"])
best_of_these = raters.loc[raters["ndcg@10"].idxmax()]
ahead = int((board.loc[board["rmse"].isna(), "ndcg@10"] > best_of_these["ndcg@10"]).sum())
nb.say(
    f"**As a list maker**, {best_rater['label']}, with the lowest error, has place {best_rater['place']:.0f} of "
    f"{len(board)} (NDCG@10 {nb.measured(best_rater, 'ndcg@10')}).",
    f"**As a predictor of stars**, {best_lists['label']}, with the best lists, "
    + (f"has RMSE {nb.measured(best_lists, 'rmse')}, place {best_lists['place_rmse']:.0f} of {len(raters)}."
       if can_rate else "is out: its scores are not stars."),
    f"**Among models of stars** {best_of_these['label']} makes the best lists, behind {ahead} of the "
    f"{board['rmse'].isna().sum()} models that predict none. The error compares models of stars with each other alone.",
)  # fmt: skip

# %% [markdown]
# ## 6 Beyond accuracy
#
# A row that shows everyone the same twenty films can score well and still bore people and bury the catalogue. Coverage
# and novelty say how far the lists reach; miscalibration, how far a list's genres are from the person's own.

# %%
measures = ["ndcg@10", *nb.BEYOND]
study.show_board(board, "beyond", "What else the lists do, and what the models cost here", measures, cost=True)

# %%
shown = {name: results[name] for name in board["model"].head(3)}
group_table = study.by_group(shown)
own = group_table[(group_table["label"] == best_lists["label"]) & (group_table["attribute"] == "activity")]
own = own.sort_values("value").iloc[-1]
study.figure(
    plots.group_plot(group_table, "value", "NDCG@10"),
    "groups",
    f"By activity, {best_lists['label']} has its highest NDCG@10 for {own['group']} users: "
    f"{nb.number(own['value'], own['value_low'], own['value_high'])}",
    "One panel a kind of group; a marker and interval for each of the three models with the best lists.",
    group_table,
)

# %%
shelves = study.by_popularity({name: results[name] for name in board["model"]})
columns = {name: nb.measure_column(name) for name in shelves.columns if name.startswith("recall")}
columns = {name: column for name, column in columns.items() if shelves[name].any()}
study.show(shelves, "popularity", "Recall@10 by how well known the film is", {"label": "Model", **columns})

# %% [markdown]
# ## 7 How alike are the lists?
#
# Two models with equal scores may still show different films; two that show the same films are one choice, not two.
# The cells count how many of a person's ten films two models have in common. Like models stand side by side.

# %%
in_common = comparison.shared({registry.entry(name).label: results[name].topk for name in board["model"]})
one, other, same = comparison.most_alike(in_common)
two = list(in_common)[:2]
ordered, size = comparison.neighbours_first(in_common), 0.27 * len(in_common)
fig, ax = plots.plt.subplots(figsize=(size + 2.4, size + 2))
sns.heatmap(ordered, vmin=0, vmax=10, cmap="cividis", annot=True, fmt=".0f", annot_kws={"size": 7}, square=True,
            mask=np.triu(np.ones(ordered.shape, bool), 1),
            cbar_kws={"label": "Films in common, of 10", "shrink": 0.6}, ax=ax)  # fmt: skip
ax.tick_params(length=0, labelsize=8)
study.figure(
    fig,
    "alike",
    f"The two best, {two[0]} and {two[1]}, share {in_common.loc[*two]:.1f} of 10 films; the most alike, {one} and "
    f"{other}, {same:.1f}",
    "Half of a square heat map, all models against each other: mean number of films that two lists of ten share.",
    in_common.rename_axis("label").reset_index(),
)

# %% [markdown]
# ## 8 Quality against cost
#
# Up is better, left is cheaper (the scale is logarithmic). Nothing to the right of and below another model is worth
# shipping for its lists.

# %%
quickest = board[board["place"] == 1].sort_values("fit_seconds").iloc[0]
study.figure(
    plots.cost_plot(board),
    "cost",
    f"Of those in first place, {quickest['label']} trains in the least time: "
    f"{findings.seconds_text(quickest['fit_seconds'])} for NDCG@10 {quickest['ndcg@10']:.3f}",
    "Every model by its seconds of training and its NDCG@10.",
    board[["label", "family", "fit_seconds", "recommend_seconds", "peak_mb", "parameters", "ndcg@10"]],
)

# %% [markdown]
# ## 9 The other jobs
#
# **Because you watched**: the film that a person liked last before the test is given; a model's list of similar films,
# without what the person has seen, should hold what they went on to like. Counting who watched both is the simplest
# list; the most liked films and random ones, which do not look at the film, are the controls. **New user**: the hidden
# people of notebook 06, told 3 to 5 films. **New movie**: its hidden films, ordered among themselves.

# %%
near = study.keep("watched", lambda: because_watched.measure(results, split), "aicine_utils.study.because_watched",
                  runs=[result.folder.name for result in results.values()])  # fmt: skip
people, films = newcomers.people(study), newcomers.films(study)
tasks = [jobs.home(results), jobs.stars(results), jobs.because_watched(near, results),
         jobs.new_user(people, results), jobs.new_movie(films, study.data.movies, results)]  # fmt: skip
means = jobs.table(tasks, study.preset.resamples, (60 * minutes, memory))
evidence = findings.JobTables(means, jobs.pairs(tasks, study.preset.resamples))
for name, table in zip(("jobs", "pairs"), evidence, strict=True):
    tables.write_csv(table, study.table_path(name))

# %%
for task in tasks[2:]:
    rows = means[(means["job"] == task.name) & (means["metric"] == task.metric)]
    rows = rows.rename(columns={"low": "value_low", "high": "value_high"})
    study.show(rows, task.name, jobs.caption(task), {
        "label": "Model",
        "place": nb.PLACES["place"],
        "value": nb.measure_column(task.metric),
        "fit_seconds": nb.COST["fit_seconds"],
        "answer_seconds": nb.Column("Answer, s", "Seconds to make all the lists", ".2f", "lower"),
    })  # fmt: skip

# %% [markdown]
# ## 10 Does the order survive a stricter split?
#
# Until here each person's own timeline was cut, so a model may learn from what others did later. Under one cut in time
# for everyone nobody knows the future, and people come who have no history yet: that is how a service meets them. But
# a service would train again, and here no model learns anything until the test ends, which may be years; so what was
# liked in the first days after the cut is measured apart, and notebook 11 measures what learning on is worth. The
# leading models, the best of each family that trains quickly, and two lists for everyone run again under it, measured
# over all people and apart for those with and without a history. To the latter most personal models show what is
# watched most. Settings are those of the usual split, as in notebook 13, so that little but the split differs. Two
# things do: no search on the usual split, where each person's time is cut apart, finds how fast views should fade, so
# *most watched lately* has the half-life of this split's own search; and the blend finds its weights anew, since that
# is part of its training. The search for the others measured itself by some of these test ratings, and who was not
# searched on these data had nothing of it; both are told. *Next at once* is the share of test ratings given within an
# hour of the last one that the model knows of the person: guessing the next film of a sitting is another job than
# filling the row that a person meets on coming back.

# %%
cut = "global_temporal" if splits.possible(study.data, "global_temporal") else study.protocol
strict = nb.open_study(study.name, dataset, preset, seed, cut)
home_row = [made.model for made in findings.decision(board, evidence) if made.job == "home" and made.model]
chosen = list(dict.fromkeys([*finalists.for_one_cut(board, study.preset.split_seconds), *home_row]))
strict_results = finalists.run({name: results[name] for name in chosen}, strict.split, seed)
searched = leaks.searched(strict.split, split)
strict_board = strict.leaderboard(strict_results)
values = pd.DataFrame({registry.entry(name).label: result.values() for name, result in strict_results.items()})
known = values.index.isin(strict.split.history[c.USER])
kinds = pd.Series(known, values.index).map({True: "with a history", False: "without one"})
apart, unknown = values.groupby(kinds).mean().T, 1 - known.mean()
young = pd.DataFrame() if cut == study.protocol else ageing.early(strict_results, strict.split)
apart = apart.join(young.mean().rename(f"first {ageing.DAYS} days")) if len(young) else apart
at_once, at_once_strict = leaderboard.at_once(split), leaderboard.at_once(strict.split)

# %%
here = board[board["model"].isin(chosen)].set_index("model")
both = strict_board[["model", "label", "family", "place", "ndcg@10", "ndcg@10_low", "ndcg@10_high"]].assign(
    usual=strict_board["model"].map(here["ndcg@10"]), usual_place=strict_board["model"].map(here["place"]))  # fmt: skip
both = both.join(apart, on="label")
strictly = comparison.agreement(both["usual"], both["ndcg@10"], low_is_good=(False, False))
uncut = "The usual split again, since no single cut in time divides these ratings"
told = (f"One cut in time: {unknown:.0%} of the people are new, next at once {at_once_strict:.0%} (usual split "
        f"{at_once:.0%}; order: τ = {strictly.tau:.2f}; the search saw {searched:.0%} of the test)")  # fmt: skip
study.show(both, "strict", uncut if cut == study.protocol else told, {
    "label": "Model",
    "place": nb.PLACES["place"],
    "ndcg@10": nb.measure_column("ndcg@10"),
    **{name: nb.Column(name.capitalize(), "NDCG@10 of this part alone", ".3f", "higher") for name in apart},
    "usual": nb.Column("Usual split", "NDCG@10 in section 5", ".3f", "higher"),
    "usual_place": nb.Column("Place there", format=".0f"),
})  # fmt: skip

# %%
sittings = "" if cut == study.protocol else leaks.sitting_text(at_once, at_once_strict)
helped = finalists.searched_here({name: results[name] for name in chosen}, study.data.name)
leader, there = (table["label"].iloc[0] for table in (here.sort_values("ndcg@10", ascending=False), strict_board))
fell = strict_board.set_index("label").loc[leader, "place"] > 1
nb.say(sittings, ageing.told(young, leader, there) if fell else "",
       leaks.searched_text(searched, {name: registry.entry(name).label for name in chosen}, helped),
       finalists.absent(board, chosen, study.preset.split_seconds), budgets.stopped(strict_board, "en"))  # fmt: skip

# %% [markdown]
# ## 11 Look at it
#
# What T would show: one person's last films, and the rows of the models in question. A ★ marks what the person went on
# to like.

# %%
everything = board if cut == study.protocol else pd.concat([board, strict_board], ignore_index=True)
decisions = findings.decision(everything, evidence)
picked = dict.fromkeys(
    [*(made.model for made in decisions if made.model in results), board["model"].iloc[0], "popularity"]
)
someone = study.typical_users(1)[0]
study.show_history(someone, 5)
study.show_lists({name: results[name] for name in picked}, someone)

# %% [markdown]
# ## 12 Decisions
#
# Within T's budget, a parameter of this notebook. The index page reads the leaderboard and the tables of section 9, and
# says the same sentences. The interval of a margin comes from drawing people again, the same for both models. How many
# people would tell two models apart is computed from the spread of their differences, for the level that is left to one
# of all the job's comparisons and a power of 80 %.

# %%
tables.write_csv(everything, study.table_path("leaderboard").with_name("leaderboard.csv"))
made = pd.DataFrame([{**vars(decision), "sure": decision.standing} for decision in decisions])
made = made.rename(columns={"low": "margin_low", "high": "margin_high"})
kept = [f"can't be told: shares first place with {one.beside}" if one.beside else "keeps a first place"
        for one in decisions]  # fmt: skip
made["safe"] = made["survives"].map({False: "loses it", None: "not measured"}).fillna(pd.Series(kept))
made["job"] = [decision.text["en"].partition(":")[0] for decision in decisions]
study.show(made.drop(columns=["text", "change", "gloss"]), "decisions", "One decision a job", {
    "job": "Job",
    "label": "Ship",
    "runner_up": "Runner-up",
    "margin": nb.Column("Margin", "How far the runner-up is behind, in NDCG@10 or stars of RMSE", "+.3f"),
    "sure": "How sure",
    "safe": "Under one cut in time",
})  # fmt: skip
nb.say(*dict.fromkeys(decision.gloss["en"] for decision in decisions if decision.gloss))

# %% [markdown]
# ### What would change our mind

# %%
for decision in decisions:
    nb.say(f"**{decision.text['en'].partition(':')[0]}.**", decision.change["en"] if decision.change else "Nothing.")
blend = results["blend"].model()
shares = [f"{registry.entry(name).label} {share:.0%}" for name, share in zip(blend.names, blend.weights_, strict=True)]
nb.say(f"The blend's weights, chosen on validation: {', '.join(shares)}.")

# %% [markdown]
# ## 13 Limits
#
# - A test on old ratings tells who would have guessed what people rated next. What T earns, only a test on T's own
#   customers can tell; the shortlist above is what to put into it.
# - MovieLens' own recommender and sign-up pages chose much of what people rated. Popular films are favoured by every
#   number here.
# - Because-you-watched counts all that a person liked in the test, also what has nothing to do with the film. New
#   people and films are known ones that were hidden: see the limits of notebook 06.
# - Few seeds and one machine. Intervals speak of other people, not of other seeds, of which most models have one;
#   seconds and memory will differ on another machine.
# - The models in first place were found by looking at this test, and their means are quoted from it: the highest of
#   many is a little lucky. Places and margins allow for that, means do not.
# - Which people and which films are hidden for the jobs of new ones is drawn at random; the new films are one draw of
#   a tenth, and intervals are over people alone.
# - A place is decided against the best of those not yet placed. Because each pair differs by its own amount, a model
#   with a lower mean can now and then share a better place than one with a higher mean.
#
# ## 14 Answer

# %% tags=["answer"]
untold = ["No single cut in time divides these ratings, so how safe the choice is can't be told."]
said = {found.key: found.text["en"] for found in findings.findings(everything, evidence)}
nb.answer(
    *(decision.text["en"] for decision in decisions),
    *(said[key] for key in ("stricter", "rater_as_ranker", "personalisation", "coverage") if key in said),
    *(untold if cut == study.protocol else [sittings]),
)

# %% [markdown]
# ## References
#
# - S. Holm (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6(2).
# - J. Cohen (1988). Statistical power analysis for the behavioral sciences. Lawrence Erlbaum.
# - E. Fox, J. Shaw (1994). Combination of multiple searches. TREC-2.
# - B. Efron, R. Tibshirani (1993). An introduction to the bootstrap. Chapman & Hall.
# - M. Ferrari Dacrema, P. Cremonesi, D. Jannach (2019). Are we really making much progress? RecSys.
# - H. Steck (2019). Embarrassingly shallow autoencoders for sparse data. WWW.
# - F. M. Harper, J. A. Konstan (2015). The MovieLens datasets: history and context. ACM TiiS 5(4).
#
# ## Settings

# %%
nb.provenance_note(study, results)
