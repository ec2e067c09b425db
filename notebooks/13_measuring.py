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
# # Does the answer depend on how you measure?
#
# *The same models and settings under four splits, three lengths of list and four ideas of what is relevant: who stays
# first, and what each split lets a model know that it could not have known.*

# %% [markdown] tags=["badge", "hide"]
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/ai-cine/ai-cine/blob/main/notebooks/13_measuring.ipynb)

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
seed = 0  # seed of every model, and of the random split
seconds_each = 0.0  # models that took longer to train once are not trained for the other splits; 0: the preset's
negatives = 100  # films drawn by lot in the sampled metric of section 8

# %% [markdown]
# ## 1 Question
#
# Papers on recommenders rarely measure alike. Some cut each person's own timeline, some hold out one last film, some
# cut the calendar once for everyone, some draw the test ratings by lot; some count the first five films of a list,
# some twenty; some call three stars relevant, some only five. If T's choice hung on such a convention, the
# leaderboard of notebook 10 would say more about us than about the models.
#
# **What would change our mind.** If paired tests put the usual winner behind the first place in another way of
# measuring, T should not ship it on the leaderboard's word alone, and should trust the split that comes nearest to
# its own service.

# %%
import pandas as pd

from aicine_utils import columns as c
from aicine_utils import notebook as nb
from aicine_utils.models import registry
from aicine_utils.report import bump, plots
from aicine_utils.study import distinct, finalists, leaks, measuring, sampled, sensitivity

study = nb.open_study("13_measuring", dataset, preset, seed)
resamples, scale = study.preset.resamples, study.data.info["rating_scale"]
seconds_each = seconds_each or study.preset.split_seconds

# %% [markdown]
# ## 2 The ways of measuring
#
# | split | the test | used by |
# |---|---|---|
# | **Own last fifth** (the usual one here) | each person's last 20 % of ratings | notebooks 02 to 10 |
# | **One cut in time** | all that was rated after one moment | services; the stricter check of notebook 10 |
# | **Last one out** | each person's last film alone | most papers on sequential models |
# | **Random fifth** | as many of each person's ratings as the usual split takes, drawn by lot | most older papers |
#
# The random split differs from the usual one in nothing but *which* of a person's ratings are the test, so what it
# adds to the numbers is the price of ignoring time. Relevance has places on the rating scale: a quarter of the way
# below the top is four stars of five, or as high on another scale. By *any stars*, every rating in the test counts:
# that is how the last film is read in papers.

# %%
made, refused = finalists.make_splits(study.data, seed)
sizes = pd.DataFrame([{"split": finalists.SPLITS[name], "train": len(split.for_test().train), "test": len(split.test),
                       "liked": len(split.relevant(split.test)), "people": split.test[c.USER].nunique()}
                      for name, split in made.items()])  # fmt: skip
study.show(sizes, "splits", "What each split leaves (relevant as the split itself has it)", {
    "split": "Split",
    **{name: nb.Column(name.capitalize(), help, ",") for name, help in (
        ("train", "Ratings to learn from"), ("test", "Ratings in the test"), ("liked", "Relevant ratings in the test"),
        ("people", "People with a test"))},
})  # fmt: skip
nb.say(*(f"Not possible with these ratings: {text}" for text in refused.values()))

# %% [markdown]
# ## 3 The finalists
#
# Not every model has to be trained four times. The rule: the best of each family by NDCG@10 on the usual split, and
# besides them two lists for everyone (most liked, and most watched lately, with its half-life from each split's own
# search), the strong baseline (EASE) and the two winners of the original study (SVD and RaCT). The random control is
# left out. One training may take no longer than the budget `seconds_each`, by the seconds that the usual split's run
# recorded; where the best of a family is over it, the best that is not stands in. The rule knows only the usual
# split's results, which favours that split: a model that shines under another split alone is not among them.

# %%
results = study.run(distinct.names(study.data))
chosen = finalists.choose(finalists.standing(results, resamples), seconds_each)
chosen["family_label"] = chosen["family"].map(plots.family_label)
chosen["how"] = chosen["named"].map({True: "named by the rule", False: "stands in"}).where(chosen["chosen"], "left out")
study.show(chosen, "finalists", f"{chosen['chosen'].sum()} models are measured in every way", {
    "label": "Model", "family_label": "Family", "how": "How",
    "ndcg@10": nb.measure_column("ndcg@10"), "fit_seconds": nb.COST["fit_seconds"],
})  # fmt: skip

# %%
nb.say(measuring.left_out(chosen, seconds_each))

# %% [markdown]
# ## 4 Training
#
# Each finalist is trained once for each other split, **with the very settings of its run on the usual split**. That
# isolates the split: nothing else changes (but the half-life of *most watched lately*, if that is among them: see
# notebook 10). It also favours the usual split a second time, since the settings were
# searched on its validation ratings; a search for each split would be fairer to each split, and would mix two
# questions. Where a split keeps validation ratings apart (last one out), networks stop by them.

# %%
measured = {name: results[name] for name in chosen.loc[chosen["chosen"], "model"]}
others = {name: finalists.run(measured, split, seed) for name, split in made.items() if name != study.protocol}
runs = {study.protocol: measured, **others}

# %% [markdown]
# ## 5 What leaks in which split
#
# A model in service knows nothing of tomorrow. The columns count how much of tomorrow each split tells. *Own future*:
# of the same person's training ratings, the share later than a test rating. *Anyone's future*: the same for all
# people's. *Films of the future*: test ratings whose film nobody in training had rated yet, although the model knows
# the film from later. *Out of reach*: test ratings whose film is not in training at all, so that no list can hold it:
# not a leak but the opposite, a true hardship that some splits hide. *Next at once*: test ratings given within an hour
# of the last one that a model is told of the same person, so that the task is the next film of a sitting. *Searched*:
# test ratings by which the settings were chosen.

# %%
leaking = leaks.table(made, study.split)
leaking["split"] = leaking["protocol"].map(finalists.SPLITS)
columns = {"own_future": ("Own future", "lower"), "any_future": ("Anyone's future", "lower"),
           "film_future": ("Films of the future", "lower"), "unreachable": ("Out of reach", ""),
           "at_once": ("Next at once", ""), "new_users": ("New people", ""),
           "searched": ("Searched", "lower")}  # fmt: skip
study.show(leaking, "leaks", "What a split tells, as shares", {
    "split": "Split",
    **{name: nb.Column(label, format=".1%", direction=way) for name, (label, way) in columns.items()},
})  # fmt: skip

# %% [markdown]
# ## 6 Who is first, where
#
# NDCG@10 of the finalists with intervals, relevant as on the leaderboard. Heights can't be compared between splits: a
# person with one film to find and a person with thirty have other chances. Places can.

# %%
values = sensitivity.ndcg(runs, made)
ranked = sensitivity.orders(values)
table = sensitivity.compare(values, resamples=resamples, seed=seed)
split_board = sensitivity.by_split(values, resamples)
shown = [name for name in made if name in split_board]
study.show(split_board, "by_split", "NDCG@10 by split, best of the usual split first", {
    "label": "Model",
    **{key: column for name in shown for key, column in (
        (name, nb.Column(finalists.SPLITS[name], "NDCG@10 under this split", ".3f", "higher")),
        (f"{name}_place", nb.Column("Place", "Shared where paired tests with Holm's correction can't tell", ".0f")))},
})  # fmt: skip

# %% [markdown]
# The picture changes one choice at a time. A line is a model, its height the rank of its mean; a **filled** marker
# says that paired tests can't tell it from the best in that column. Where many markers are filled, crossing lines
# mean little.

# %%
ranks, places = (sensitivity.one_change(ranked, name, scale) for name in ("rank", "place"))
families = ranked.set_index("label")["family"].to_dict()
usual = ranks["Split"].iloc[:, 0]
leaders = [registry.entry(name).label for name in table["winner"].unique()]
study.figure(
    bump.bump_plot(ranks, places.reindex_like(ranks) == 1, families),
    "ranks",
    f"{len(leaders)} of {len(ranks)} models have rank 1 in one of the {len(table)} ways or another",
    f"Bump chart of {len(ranks)} models: ranks under each split, each length of list and each idea of relevance.",
    ranks.set_axis([" / ".join(pair) for pair in ranks.columns], axis=1).reset_index(),
)

# %% [markdown]
# ### How far do the orders agree?
#
# Kendall's τ is 1 where two orders are the same and −1 where one is the reverse. People are drawn again, the same
# people in both ways, for its interval. Chance shuffles models that are close, so an interval may lie below its own
# dot. The grey band shows what chance alone does: τ of one way with itself, on two separate draws of people, from its
# middle down to its lowest twentieth or the usual way's, whichever is lower. A **filled** dot lies below the band:
# that order differs by more than chance.

# %%
alone = sensitivity.changed(table)
single = pd.concat([table[alone == choice].assign(choice=choice) for choice in sensitivity.TITLES])
single["name"] = [sensitivity.option_name(row["choice"], row[row["choice"]], scale) for _, row in single.iterrows()]
odd = single.sort_values("tau").iloc[0]
study.figure(
    bump.agreement_plot(single),
    "tau",
    f"{single['beyond'].sum()} of {len(single)} single changes give another order than chance explains; farthest is "
    f"“{odd['name']}” with τ = {nb.measured(odd, 'tau', 2)}",
    "Dot and interval of Kendall's tau for each way that differs from the usual in one choice, over a band of chance.",
    single[["name", "tau", "tau_low", "tau_high", "chance", "chance_low", "beyond"]],
)

# %% [markdown]
# ### How often does the winner stay the winner?
#
# The share of resamples in which the usual split's winner has the highest mean, in every combination of the three
# choices. Models that are all alike would share the lead evenly.

# %%
own = registry.entry(table.loc[alone == "nothing", "winner"].iloc[0]).label
kept = table.assign(split=table["protocol"].map(finalists.SPLITS))
kept["reading"] = [sensitivity.reading(row.k, row.liked, scale) for row in kept.itertuples()]
grid = kept.pivot(index="reading", columns="split", values="keeps")
grid = grid.reindex(index=kept["reading"].unique(), columns=kept["split"].unique())
study.figure(
    plots.heatmap(grid, f"Share of resamples that {own} leads", ".0%"),
    "keeps",
    f"{own} leads in {table['keeps'].min():.0%} to {table['keeps'].max():.0%} of the resamples, by how one measures",
    "Heat map, one row for each length and relevance, one column a split: how often the usual winner leads.",
    kept[["split", "k", "liked", "n_users", "winner", "keeps", "wins", "first", "lost", "tau"]],
)

# %% [markdown]
# ## 7 Which choice matters
#
# One choice changed, the other two as usual. *Other winner* counts the ways with another highest mean; *lost* those
# in which paired tests put the usual winner behind the first place, corrected for all pairs of models and for the
# number of ways, since among so many ways some test would reject by chance; *beyond chance* the orders outside the
# band above.

# %%
choices = measuring.by_choice(table)
choices["what"] = choices["choice"].map(measuring.CHOICES).str.capitalize()
study.show(choices, "choices", f"What becomes of {own}", {
    "what": "Choice", "ways": "Ways", "moved": "Other winner", "lost": "Lost", "beyond": "Beyond chance",
    "keeps_low": nb.Column("Stays first, least", "Share of resamples", ".0%"),
    "keeps_high": nb.Column("Most", "Share of resamples", ".0%"),
    "tau_low": nb.Column("τ, least", "Agreement with the usual order", ".2f"), "winners": "The other winners",
})  # fmt: skip

# %%
nb.say(measuring.inflation(ranked))

# %% [markdown]
# ## 8 A warning: sampled metrics
#
# Much of the literature ranks each held-out film not among all films but among a hundred drawn by lot. That is
# another measure, not a cheaper one: it forgives every mistake but the grossest (Krichene & Rendle 2020). Here are
# the *same scores* of the same models on the last film left out, whatever its stars (section 6 counts liked ones), read
# both ways. Nothing has to be drawn: from a
# film's rank among all candidates, what a draw gives on average follows exactly.

# %%
one_each = "leave_one_out" if "leave_one_out" in runs else study.protocol
drawn = sampled.ndcg(runs[one_each], made[one_each], (10,), negatives)
drawn_order = sensitivity.orders(drawn)
drawn_table = sensitivity.compare(drawn, (sampled.FULL, 10), resamples, seed)
ten = drawn_order.pivot(index="label", columns="candidates", values=["mean", "rank"])
ten.columns = [f"{what} {which}" for what, which in ten.columns]
ten = ten.sort_values(f"rank {sampled.FULL}").reset_index()
study.show(ten, "sampled", "NDCG@10 of the same scores, read two ways", {
    "label": "Model",
    **{f"{what} {which}": nb.Column(f"{which}: {title}", format=form, direction=way)
       for which in (sampled.FULL, sampled.SAMPLED)
       for what, title, form, way in (("mean", "NDCG@10", ".3f", "higher"), ("rank", "rank", ".0f", ""))},
})  # fmt: skip

# %%
n_films = made[one_each].for_test().train[c.MOVIE].nunique()
sampling = measuring.sampling(drawn_table, drawn_order, negatives, n_films, (sampled.FULL, 10))
nb.say(sampling)

# %% [markdown]
# ## 9 Limits
#
# - One seed of the models and one random split. Intervals speak of other people, not of other seeds or other draws.
# - Finalists and settings come from the usual split, which favours it twice (sections 3 and 4). That the winner there
#   is the best of many by looking makes it likelier to fall elsewhere, even if nothing depended on the measure.
# - Many models learn from liked films alone (their setting `liked`, searched for the usual relevance). Where any stars
#   count, they are asked for what they were not taught.
# - Who is over the budget depends on the machine that trained: a slower one leaves out more.
# - No split here is T's service. One cut in time is nearest; its test has fewer people, and who is new among
#   them differs from data to data (notebook 00 counts both).
#
# ## 10 Answer

# %% tags=["answer"]
nb.answer(
    " ".join(filter(None, [measuring.verdict(table, scale), measuring.unheard(chosen)])),
    *measuring.choice_texts(choices, table.loc[alone == "nothing", "winner"].iloc[0]),
    f"Who holds up: {measuring.everywhere(ranked)} {measuring.one_list(ranked)} "
    f"{measuring.left_out(chosen, seconds_each)}",
    measuring.without_future(ranked, leaking),
    f"{measuring.inflation(ranked)} {sampling}",
)

# %% [markdown]
# ## References
#
# - W. Krichene, S. Rendle (2020). On sampled metrics for item recommendation. KDD.
# - Z. Meng, R. McCreadie, C. Macdonald, I. Ounis (2020). Exploring data splitting strategies for the evaluation of
#   recommendation models. RecSys.
# - Y. Ji, A. Sun, J. Zhang, C. Li (2023). A critical study on data leakage in recommender system offline evaluation.
#   ACM TOIS 41(3).
# - M. G. Kendall (1945). The treatment of ties in ranking problems. Biometrika 33(3).
# - R. Cañamares, P. Castells, A. Moffat (2020). Offline evaluation options for recommender systems. Information
#   Retrieval Journal 23(4).
#
# ## Settings

# %%
nb.provenance_note(study, measured)
