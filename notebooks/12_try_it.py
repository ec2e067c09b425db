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
# # What would each model show this person, and why?
#
# *One history beside every saved model's list, with reasons and the seconds it took; the same for someone new.*

# %% [markdown] tags=["badge", "hide"]
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/ai-cine/ai-cine/blob/main/notebooks/12_try_it.ipynb)

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
preset = "quick"  # mock, quick or full
seed = 0  # seed of the saved models
user = 0  # a user_id; 0 for a typical one
history = ""  # films that someone new watched, oldest first: "Toy Story; Heat"; empty for three that many know
top = 10  # length of each list

# %% [markdown]
# ## 1 Question
#
# A leaderboard says which model is best on average. T's customers don't see an average: they see ten films. This page
# puts one person's history beside what every model would show, marks what the person went on to like, and asks each
# model for its reasons. Then it does the same for someone of whom nothing is known but a few typed films.
#
# **What would change our mind.** If all models showed one person nearly the same films, the choice among them would
# matter less than the tables of averages suggest. If a list took longer than a second, it could not be made while a
# page loads, and T would have to make its lists beforehand.

# %%
from matplotlib import pyplot as plt

from aicine_utils import columns as c
from aicine_utils import notebook as nb
from aicine_utils.models import registry
from aicine_utils.report import plots
from aicine_utils.study import reasons, serving, side_by_side, try_it

study = nb.open_study("12_try_it", dataset, preset, seed)

# %% [markdown]
# ## 2 The models, from their saved runs
#
# Nothing is trained here. Each model is read once from the run that notebooks 02 to 10 kept; one without a run is named
# and left out. From then on it answers from memory.

# %%
served = serving.serve(study.split.for_test(), seed=seed)
nb.say(side_by_side.say_missing(served), f"Reading them took {sum(served.load_seconds.values()):.1f} s, once.")

# %% [markdown]
# ## 3 A person
#
# Unless a user was named, one with a history of middling length, who liked something in the test. Models saw what was
# watched before the test; a ★ marks a film that the person watched later and liked (four of five stars, or as high on
# another scale).

# %%
someone = user or study.typical_users(1)[0]
answers = served.for_user(someone, top)
study.show_history(someone, top)

# %% [markdown]
# ### Pick someone else
#
# `./run_all.sh --only 12 -p user=5` makes this page for another person, and `-p history="Toy Story; Heat"` for other
# films. In an open notebook the next cell has drop-downs: for the person, for whose lists are shown, and for whose
# reasons.

# %%
try_it.choose(served, someone, top)

# %% [markdown]
# ## 4 The history beside every list
#
# One table a family. The first column is what the person watched last.

# %%
for family, names in side_by_side.by_family(answers).items():
    table, part = side_by_side.lists(served, answers, names, top), registry.entry(names[0]).family
    caption = f"{family}: the first {top} films for user {someone} (★ liked later)"
    study.show(table, f"lists_{part}", caption, try_it.list_columns(table))

# %% [markdown]
# The lists above were made just now, one person at a time. Those that notebooks 02 to 10 measured were made for
# everyone at once, when the model was trained. They should be the same.

# %%
same, found = side_by_side.as_kept(served, answers), side_by_side.hits(served, answers)
others = [name for name, equal in same.items() if not equal]
nb.say(
    f"{sum(same.values())} of {len(same)} lists have the films of the measured list, in its order"
    + (f"; another order or film: {side_by_side.named(others)}." if others else "."),
    f"{(found > 0).sum()} of {len(found)} lists hold at least one ★; the most in one list is {found.max()}.",
)

# %% [markdown]
# ## 5 How much do the lists agree?
#
# Lists can be equally good on average and hold different films. The bars count in how many of the lists a film stands.

# %%
common = side_by_side.in_most(served, answers, 15)
fig, ax = plt.subplots(figsize=(7, 0.3 * len(common) + 1))
ax.barh(common["film"][::-1].str.replace("$", r"\$"), common["lists"][::-1], color=plots.MUTED)
ax.set(xlabel=f"Lists that hold the film, of {len(answers.seconds)}", ylabel="")
study.figure(
    fig,
    "in_most",
    f"{common['film'].iloc[0]} stands in {common['lists'].iloc[0]} of {len(answers.seconds)} lists",
    "Horizontal bars: for each of the films that stand in most lists, the number of lists.",
    common[["movie_id", "film", "lists"]],
)

# %%
nb.say(side_by_side.say_agreement(answers, top))

# %% [markdown]
# ## 6 Why these films?
#
# A reason is the film in the history that is nearest to the one shown, and the genres that the two share. *Nearest* is
# measured in one of three ways, and the table says in which:
#
# - **Part of the score**, where a score is a sum over the history (item k-NN, EASE): how much of it that film brings.
#   This is how the list came about.
# - **The model's own likeness** of two films, from what it learned of them. Its list need not have come about by it.
# - **People in common**, for models that know no likeness of films:
#
# $$\frac{|A \cap B|}{\sqrt{|A|\,|B|}}$$
#
# with $A$ and $B$ the people who watched the one and the other. It is found afterwards and says nothing of the model: a
# list of the most watched films is not made because of anything that this person watched.

# %%
first = side_by_side.first_films(served, answers)
shown = {"label": "Model", **{name: column for name, column in try_it.WHY.items() if name != c.RANK}}
study.show(first, "first_films", f"The first film of every list for user {someone}, and why", shown)

# %%
own = first[reasons.BY].isin([reasons.WEIGHTS, reasons.VECTORS])
near = first[first[reasons.NEARNESS].notna()]
nb.say(
    f"{own.sum()} of {len(first)} models give a reason of their own, "
    f"{(first[reasons.BY] == reasons.WEIGHTS).sum()} of them as part of the score.",
    f"{(near[reasons.SHARED] != '').sum()} of {len(near)} first films share a genre with the film nearest to them.",
)

# %% [markdown]
# One list in full: that of the model which, for this person, found most of what they went on to like. It was chosen for
# its hits, to have some to look at; that says nothing about the model.

# %%
luckiest = max(answers.seconds, key=lambda name: found[registry.entry(name).label])
study.show(
    side_by_side.why(served, answers, luckiest, top),
    "why",
    f"{registry.entry(luckiest).label} for user {someone}: why each film is there (★ liked later)",
    try_it.WHY,
)

# %% [markdown]
# ## 7 Someone new types a few films
#
# No rating of theirs was in any training. A model can answer if it makes a person out of what was watched; one that
# keeps a vector or a row for each person it was trained with has nothing to go by.

# %%
watched = serving.typed(history, study.data.movies) or study.well_known(3)
new = served.for_history(watched, top)
nb.say(f"Watched: {'; '.join(side_by_side.titled(served, watched))}.", side_by_side.say_refused(served, new))

# %%
study.show(side_by_side.refused(new), "refused", f"{len(new.refused)} models have no list for someone new",
           {"label": "Model", "family": "Family", "reason": "Because it"})  # fmt: skip

# %%
for family, names in side_by_side.by_family(new).items():
    table, part = side_by_side.lists(served, new, names, top), registry.entry(names[0]).family
    study.show(table, f"typed_{part}", f"{family}: the first {top} films after these", try_it.list_columns(table))

# %%
study.show(side_by_side.first_films(served, new), "typed_first_films", "The first film of every list, and why", shown)

# %% [markdown]
# ## 8 Seconds
#
# *Load* is reading the saved model, once, without the import of its libraries. The other columns are one list each, the
# first that the model made since it was loaded, or the one after it.

# %%
table = side_by_side.timings(served, known=answers, typed=new)
study.show(table, "seconds", "Seconds to load a model, and for one list", {
    "label": "Model",
    "family": "Family",
    "load": nb.Column("Load, s", "Once, before the first list", ".3f", "lower"),
    "known": nb.Column(f"User {someone}, s", "The first list after loading", ".4f", "lower"),
    "typed": nb.Column("Typed films, s", "The list for someone new; a dash where the model has none", ".4f", "lower"),
})  # fmt: skip

# %%
for whom, asked in ((f"User {someone}", answers), ("Someone new", new)):
    nb.say(
        f"**{whom}.** {side_by_side.say_seconds(asked.seconds)}", f"All of them: {sum(asked.seconds.values()):.2f} s."
    )

# %% [markdown]
# ## 9 Limits
#
# - One person is an example, and stars in one list are luck as much as skill. Which model is best is for notebook 10.
# - A reason that was found afterwards sounds as convincing as one that made the list. Only *part of the score* is the
#   latter.
# - Seconds are those of this machine, with one person asking at a time.
#
# ## 10 Answer

# %% tags=["answer"]
nb.answer(
    f"{side_by_side.say_agreement(answers, top)} {(found > 0).sum()} of {len(found)} lists hold a film that user "
    f"{someone} went on to like.",
    f"{(first[reasons.BY] == reasons.WEIGHTS).sum()} of {len(first)} models can say how the first film that they show "
    f"came about; {(first[reasons.BY] == reasons.VECTORS).sum()} more name a watched film that they hold alike.",
    f"From typed films alone, {side_by_side.say_refused(served, new)}",
    side_by_side.say_seconds(side_by_side.slower(answers, new)),
)

# %% [markdown]
# ## References
#
# - N. Tintarev, J. Masthoff (2015). Explaining recommendations: design and evaluation. Recommender Systems Handbook.
# - G. Linden, B. Smith, J. York (2003). Amazon.com recommendations: item-to-item collaborative filtering. IEEE
#   Internet Computing 7(1).
# - F. M. Harper, J. A. Konstan (2015). The MovieLens datasets: history and context. ACM TiiS 5(4).
#
# ## Settings

# %%
nb.provenance_note(study, served.runs)
