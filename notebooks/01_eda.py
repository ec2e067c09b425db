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
# # What do the ratings say about the people who gave them?
#
# *Four findings of the original study, taken again as claims that could turn out false, and habits of raters that a
# recommender has to know.*

# %% [markdown] tags=["badge", "hide"]
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/ai-cine/ai-cine/blob/main/notebooks/01_eda.ipynb)

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
seed = 0  # of resampling and of permutations

# %% [markdown]
# ## 1 Question
#
# The original study looked at charts and wrote down four findings: men rate more than women, gender changes which
# genres people prefer, raters are mostly 10 to 30 years old, and releases follow the genres that viewers like. A chart
# shows what happened in a file. Whether it says anything about people is another question, so each finding is taken
# here as a **claim**, with an effect, a 95 % interval, and one rule:
#
# - **supported** when the whole interval lies above the value at which the claim becomes true,
# - **not supported** when the whole interval lies below it,
# - **can't be told** otherwise, when a test calls it chance, or when the data do not say.
#
# **What would change our mind.** Other data: the verdicts below are computed, and turn with the numbers.

# %%
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt

from aicine_utils import columns as c
from aicine_utils import notebook as nb
from aicine_utils import protocols, splits
from aicine_utils.data.labels import AGE_GROUPS
from aicine_utils.exploration import behaviour, drift, genres, people, pictures, releases
from aicine_utils.findings import seconds_text
from aicine_utils.report import plots

study = nb.open_study("01_eda", dataset, preset, seed)
data, resamples = study.data, study.preset.resamples

# %% [markdown]
# ## 2 “Men rate more than women”
#
# The sentence can mean four things. *More of the people are men* is about who signed up. *A man rates more films* is
# about habits, taken once by the mean, which a few tireless raters can move, and once by ranks (Cliff's $\delta$: the
# chance that a random man out-rates a random woman, less the opposite chance). *Men give more stars* is about taste.
# Adding up all ratings by gender, as a bar chart does, mixes the first two.

# %%
by_gender = people.gender_claims(data, resamples, seed)
study.show(pictures.claims_table(by_gender), "gender", "“Men rate more than women”, in four readings", pictures.CLAIMS)

# %%
raters = people.per_user(data)
nb.say(people.share_text(raters))
middle = raters.groupby(c.GENDER)["ratings"].median().reindex(["M", "F"])
if middle.notna().all():
    title = f"The median man rated {middle['M']:,.0f} films, the median woman {middle['F']:,.0f}"
    alt = "Two boxes, women above men: quartiles and median of the ratings a person."
    study.figure(pictures.by_gender(raters), "ratings_by_gender", title, alt, middle.reset_index())

# %% [markdown]
# ## 3 “Gender changes genre preference”
#
# For each person we take the mix of genres among the films that they rated (a film with two genres counts half in
# each), so that a tireless rater weighs as much as anyone. Then women's mean mix less men's, genre by genre. The
# intervals hold for all genres at once (Bonferroni), and p values are corrected by Holm's method. Differences below one
# film in a hundred would hardly change a list, so that is where the claim begins to hold.
#
# In case men and women differ in age as well, the difference is taken again within age groups and averaged over the
# ages that everybody has (direct standardisation).

# %%
plain, same_age = genres.genre_gap(data), genres.genre_gap(data, same_age=True)
by_genre = genres.genre_claims(data, plain, same_age)
study.show(pictures.claims_table(by_genre), "genre_claims", "“Gender changes genre preference”", pictures.CLAIMS)

# %%
apart = plain[plain["p_holm"] < 0.05]
if len(plain):
    study.figure(
        pictures.gap_plot(plain, same_age),
        "genre_gap",
        f"{len(apart)} of {len(plain)} genres differ by more than chance, {plain.loc[0, 'genre']} most towards women, "
        f"{plain['genre'].iloc[-1]} most towards men",
        "A dot and interval for each genre: women's share less men's, for all ages together and at equal ages.",
        plain,
    )
nb.say(genres.association_text(data, seed))

# %% [markdown]
# ## 4 “Raters are mostly 10 to 30 years old”
#
# The files know seven age groups, and none ends at 30. Whoever is 18 to 24 is surely in; whoever is under 18, or 25 to
# 34, may be. The effect therefore has bounds and no value: the lower end of the sure share, the upper end of the
# possible one (Wilson's intervals). The nearest statement that the groups *can* test stands beside it.

# %%
by_age = people.age_claims(data)
study.show(pictures.claims_table(by_age), "age_claims", "“Raters are mostly 10 to 30”", pictures.CLAIMS)

# %%
ages = people.labels(data, c.AGE).value_counts(normalize=True).reindex(AGE_GROUPS).fillna(0)
ages = ages.rename("share").rename_axis("age").reset_index()
if ages["share"].any():
    fig, ax = plt.subplots(figsize=(5.4, 2.8))
    sns.barplot(ages, x="age", y="share", color=plots.COLOURS["blue"], ax=ax)
    ax.set(xlabel="Age group", ylabel="Share of users")
    study.figure(fig, "ages", people.needed_text(data), "A bar for each age group.", ages)

# %% [markdown]
# ## 5 “Releases follow the genres that viewers like”
#
# To follow is to come after. The claim could be shown only by ratings from *before* the releases: does a genre in
# demand one year grow among the releases of the next? A data set whose ratings all come from a few years can't know,
# and the rule says so when fewer than ten release years have ratings from the year before.
#
# What any catalogue can test is weaker: whether a genre has more releases in the years whose films are liked more, or
# watched more, *in hindsight*. For each genre we take the rank correlation over the years. Chance is played by shifting
# a genre's years in a circle, since neighbouring years resemble each other.

# %%
by_release = releases.release_claims(data, seed=seed)
study.show(pictures.claims_table(by_release), "releases", "“Releases follow what viewers like”", pictures.CLAIMS)

# %%
panel = releases.by_year(data)
each = {name: releases.correlations(panel, column, seed=seed)[0] for name, column in releases.HINDSIGHT.items()}
each = pd.DataFrame(each).rename_axis("genre").reset_index().melt("genre", var_name="measure", value_name="r")
if len(each):
    fig, ax = plt.subplots(figsize=(5.4, 2.2))
    ax.axvline(0, color=plots.MUTED, linewidth=1)
    sns.swarmplot(each, x="r", y="measure", hue="measure", legend=False, ax=ax)
    ax.set(xlabel="Rank correlation with the share of releases, one dot a genre", ylabel="")
    share = (each["r"] > 0).mean()
    title = f"A genre has more releases in its better years in {share:.0%} of the cases; chance alone gives half"
    study.figure(fig, "hindsight", title, "Two rows of dots, one dot a genre, around the line at zero.", each)

# %% [markdown]
# ## 6 What a recommender has to know: concentration
#
# How far do ratings gather on a few films, and come from a few people? Gini's coefficient is 0 when all have the same
# number and 1 when one has everything. A model that leans on the head looks good in every metric that counts hits.

# %%
heads = pd.DataFrame({name: behaviour.concentration(data.ratings, by) for name, by in behaviour.SIDES.items()}).T
heads = heads.rename_axis("of").reset_index()
films = heads.iloc[0]
fig = pictures.curves(
    behaviour.lorenz(data.ratings),
    "top",
    "share",
    "of",
    "Share of films or people, the busiest first",
    "Share of ratings",
)
study.figure(
    fig,
    "long_tail",
    f"A tenth of the films has {films['top_10']:.0%} of the ratings, and {films['half']:,.0f} films have half",
    f"Two rising curves; Gini {films['gini']:.2f} for films, {heads['gini'].iloc[1]:.2f} for people.",
    heads,
)

# %% [markdown]
# ## 7 Sittings and ties
#
# A pause of more than an hour starts a new sitting. People who rate a page of films at once leave many ratings in the
# same second, and the order within a second is the order of the file, not of life. A sort that does not keep it puts
# another film last, and the last film is what the sequential literature tests on. Turning every tie around
# shows how much.

# %%
visits = behaviour.sittings(data.ratings)
gap = behaviour.gaps(data.ratings)
once = (visits["sittings"] == 1).mean()
nb.say(
    f"The median gap from one rating of a person to the next is {gap.median():,.0f} s, and {(gap == 0).mean():.0%} of",
    f"all gaps are zero. **{once:.0%}** of the people came for a single sitting; the median person stayed",
    f"{seconds_text(visits['days'].median() * 86_400)} from the first rating to the last.",
)

# %%
ties = behaviour.tie_effect(data.ratings)
study.show(
    ties,
    "ties",
    "What turning ties around changes",
    {
        "protocol": "Protocol",
        "users": nb.Column("Users", "Share of users whose test ratings change", ".1%"),
        "items": nb.Column("Test ratings", "Share of test ratings that are no longer test ratings", ".1%"),
    },
)

# %% [markdown]
# ## 8 Drift
#
# How much is rated in a month, and how many newcomers there are, tells what a cut in time will test: old friends or
# strangers.

# %%
months = drift.monthly(data.ratings)
busiest, stars = months.nlargest(1, "ratings").iloc[0], months["stars"]
title = (
    f"{busiest['ratings'] / months['ratings'].sum():.0%} of all ratings fall in {busiest['month']:%B %Y}; a month's "
    f"mean is between {stars.min():.2f} and {stars.max():.2f} stars"
)
study.figure(pictures.months(months), "months", title, "Bars of ratings a month above a line of newcomers.", months)

# %% [markdown]
# Do the same films lead from one quarter to the next? People are dealt into two halves, so that one half's favourites
# can be compared with the other half's in the *same* quarter (all that differs is luck) and in the *next* one (luck and
# change), on equally many ratings.

# %%
top = drift.top_size(data.ratings)
stay = drift.turnover(data.ratings, seed=seed)
if len(stay):
    long = stay.rename(columns=drift.NAMES).melt("quarter", var_name="against", value_name="share")
    mean = stay[["stay", "same_time"]].mean()
    title = (
        f"Of a quarter's top {top}, {mean['stay']:.0%} lead the next; luck alone would leave {mean['same_time']:.0%}"
    )
    fig = pictures.curves(long, "quarter", "share", "against", "Quarter", f"Share of the top {top} that stays")
    fig.axes[0].tick_params(axis="x", rotation=30)
    study.figure(fig, "turnover", title, "Two lines over the quarters: the next quarter, the same quarter.", long)

# %% [markdown]
# ## 9 The scale, and the first ratings
#
# How differently do people use the same stars? A model that predicts stars has to learn whose “four” is whose. The
# first ratings may be special too, because a site asks newcomers about films that it expects them to know.

# %%
liked_from = splits.stars_at(data.info["rating_scale"], protocols.LIKED)
habits = behaviour.star_habits(data.ratings, liked_from)
nb.say(
    f"{habits['liked']:.0%} of all ratings are {liked_from:g} stars or more, and the mean is {habits['mean']:.2f}.",
    f"People's own means spread by {habits['spread']:.2f} stars (standard deviation): {habits['between']:.0%} of the",
    "variance of stars is between people, and a model gets it from a person's mean alone.",
)

# %%
early = behaviour.first_ratings(data.ratings, resamples=resamples, seed=seed)
caption = (
    "Too few people have a long history"
    if early.empty
    else (
        f"First films are known by {early['popularity'].iloc[0]:.0%} of all people, later ones by "
        f"{early['popularity'].iloc[-1]:.0%}; the same {early['n_users'].max():,} people in each row"
    )
)
study.show(
    early,
    "first_ratings",
    caption,
    {
        "place": "Place",
        "stars": nb.Column("Mean stars", "Mean over people, with its 95 % interval", ".2f"),
        "popularity": nb.Column("Known by", "Share of all people who rated the film", ".1%"),
    },
)

# %% [markdown]
# ## 10 Limits
#
# - Verdicts are about the people in this file. They came to a site of film lovers, and nobody drew them at random.
# - Rating a film is not preferring its genre: people rate what they chose to see and what the site showed them.
# - A threshold is a choice. One film in a hundred, and more than half for “mostly”, are ours; the tables give effect
#   and interval, so that anyone may set another.
# - The intervals take people as independent. The catalogue's genres are not: shares add up to one.

# %% [markdown]
# ## 11 Answer

# %% tags=["answer"]
last = ties["users"].iloc[-1]
claims = [*by_gender, *by_genre, *by_age, *by_release]
nb.answer(
    *(f"*{name}* – {pictures.verdicts(some)}." for name, some in zip(pictures.ORIGINAL, (by_gender, by_genre, by_age,
      by_release), strict=True)),
    f"Of {len(claims)} statements tested, {sum(one.verdict == 'supported' for one in claims)} are supported, "
    f"{sum(one.verdict == 'not supported' for one in claims)} are not, and for the rest the data can't tell.",
    f"For a recommender: {films['half']:,.0f} of {films['count']:,.0f} films have half of the ratings; {once:.0%} of "
    f"the people came for one sitting; turning ties around changes the last film of {last:.0%} of them, so sorting "
    + ("has to be stable." if last > 0.01 else "hardly matters here."),
)  # fmt: skip

# %% [markdown]
# ## References
#
# - N. Cliff (1993). Dominance statistics: ordinal analyses to answer ordinal questions. Psychological Bulletin 114(3).
# - E. B. Wilson (1927). Probable inference, the law of succession, and statistical inference. JASA 22.
# - S. Holm (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6(2).
# - J. Cohen (1988). Statistical power analysis for the behavioral sciences. 2nd edition.
# - F. M. Harper, J. A. Konstan (2015). The MovieLens datasets: history and context. ACM TiiS 5(4).
#
# ## Settings

# %%
nb.say(f"{data.name}, fingerprint `{data.info['fingerprint'][:12]}`, seed {seed}, {resamples:,} resamples.")
