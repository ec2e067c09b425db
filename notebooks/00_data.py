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
# # What exactly are we working with?
#
# *The specification of the data, computed from the data: what is in them, what was mended, how they are divided, and
# whether anything leaks.*

# %% [markdown] tags=["badge", "hide"]
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/ai-cine/ai-cine/blob/main/notebooks/00_data.ipynb)

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
seed = 0  # of whatever is drawn by chance; nothing is in this notebook

# %% [markdown]
# ## 1 Question
#
# Every number in this report rests on a few tables. Before anybody argues over models, both sides should agree what
# those tables say, where they came from, what we mended in them, and which ratings a model may learn from. The original
# study described its files in a typed table. Here the table is computed, so it also describes *your* ratings.
#
# **What would change our mind.** A rating that stands both in training and in test, or content that does not survive
# being written and read again, would void the rest of the report. Both are checked below, and the answer says so.

# %%
import pandas as pd

from aicine_utils import columns as c
from aicine_utils import notebook as nb
from aicine_utils import settings
from aicine_utils.exploration import card, people, pictures, protocols, quality

study = nb.open_study("00_data", dataset, preset, seed)
data = study.data

# %% [markdown]
# ## 2 Source and identity
#
# The checksum names the ratings file as it lay on disk; the fingerprint names the content after validation, whatever
# format it came in. Two reports with the same fingerprint used the same data.

# %%
study.show(card.origin(data), "origin", "Where the data came from", {"fact": "What", "value": "Value"})

# %%
facts = card.size(data)
nb.say(
    f"{facts['users']:,.0f} people gave {facts['ratings']:,.0f} ratings to {facts['movies']:,.0f} films within",
    f"{facts['days']:,.0f} days. Of all pairs of a person and a film, **{facts['density']:.1%}** have a rating; what a",
    f"recommender has to guess is the other {1 - facts['density']:.1%}.",
)

# %% [markdown]
# ## 3 Fields
#
# One row a field. *Missing* counts empty values, “unknown”, and films without a genre. Genders and ages are what people
# typed at sign-up, which is not always what they are; a time is when stars were *given*, not when the film was seen.

# %%
study.show(
    card.fields(data),
    "fields",
    "Every field of every table",
    {
        "field": "Field",
        "table": "Table",
        "type": "Type",
        "meaning": "Meaning",
        "range": nb.Column("Values", "Lowest to highest; the most frequent first where there are many"),
        "distinct": nb.Column("Distinct", "How many different values there are", ","),
        "missing": nb.Column("Missing", "Empty, unknown, or without an entry", ","),
    },
)

# %% [markdown]
# ## 4 Repairs and checks
#
# What can be mended is mended and counted, never dropped in silence. What can't be mended stops the run with the line
# at fault.

# %%
mended = card.repairs(data)
nb.say("Nothing had to be mended." if mended.empty else "What was repaired or counted, and in how many rows:")
nb.say(*(f"\n- {row.repair}: {row.rows:,}" for row in mended.itertuples()))

# %% [markdown]
# The checks are those that a careful reader would run before believing any result. One that finds nothing is fine; one
# that finds up to 5 % of the rows is a note; more is a warning, which means *know this*, not *stop*.

# %%
checks = quality.checks(data)
study.show(
    checks,
    "checks",
    "What the checks found, gravest first",
    {
        "check": "Check",
        "severity": "Severity",
        "count": nb.Column("Found", "Rows, users, films or files", ","),
        "of": nb.Column("Of", "How many were looked at", ","),
        "share": nb.Column("Share", "Found / of", ".2%"),
        "matters": nb.Column("Matters for", "What to read with care because of it"),
    },
)

# %%
nb.say(*(f"\n- **Warning:** {text}" for text in data.info["warnings"]))

# %% [markdown]
# ## 5 How much there is of each
#
# A model learns about a person from the person's ratings, and about a film from the film's. Where either has few,
# recommending is hard.

# %%
kinds = {"user": "A person's ratings", "movie": "A film's ratings"}
spread = pd.DataFrame(
    [{"kind": label, **{end: facts[f"{end}_per_{name}"] for end in ("fewest", "median", "most")}}
     for name, label in kinds.items()]
)  # fmt: skip
ends = {"kind": "Whose", **{end: nb.Column(end.capitalize(), "", ",.0f") for end in ("fewest", "median", "most")}}
study.show(spread, "spread", "How many ratings one has", ends)

# %% [markdown]
# ## 6 Five ways to divide the ratings
#
# How ratings are divided decides what a score means. This report leads with the first protocol and keeps the others so
# that its numbers can be laid beside published ones.
#
# - **user_temporal**: each person's last fifth is the test, the tenth before it validation. Everybody is tested.
# - **global_temporal**: one cut in time for all; what a service would have known on that day, new people included.
# - **leave_one_out**: each person's last rating is the test; people and films with at least five ratings.
# - **recbole_general**, **recbole_sequential**: what RecBole's published tables used, to the row: ratings of three
#   stars and more, people and films with at least ten, divided by chance or by each person's last rating.

# %%
made, refused = protocols.make_all(data)
table = protocols.table(made)
counts = {name: nb.Column(name.replace("_", " ").capitalize(), "", ",") for name in table.columns[1:]}
counts["tested_users"] = nb.Column("Tested", "Users with ratings in the test", ",")
counts["new_users"] = nb.Column("New", "Tested users of whom nothing is known before the test", ",")
counts["relevant"] = nb.Column("Relevant", "Test ratings that a good list should have shown", ",")
study.show(table, "protocols", "What each protocol leaves for what", {"protocol": "Protocol", **counts})

# %%
nb.say(*(f"\n- **{name}** can't be used here: {why}" for name, why in refused.items()))

# %% [markdown]
# The same few people under each protocol, their ratings side by side in the order in which they were given. A cut
# through one person's own time leaves a tail on each row; a cut through everybody's time is a vertical line.

# %%
lines = protocols.timelines(data, made)
tested = lines[lines["part"] == "test"].groupby("protocol")["user"].nunique().reindex(list(made), fill_value=0)
fewest = ", ".join(tested.index[tested == tested.min()])
study.figure(
    pictures.timelines(lines),
    "timelines",
    f"Of the same {lines['user'].nunique()} people, {fewest} tests {tested.min()}, other protocols up to {tested.max()}"
    if tested.nunique() > 1
    else f"Every protocol tests {tested.min()} of these {lines['user'].nunique()} people",
    "One panel a protocol, one row a person, one mark a rating by time; shape and colour say its part.",
    lines,
)

# %% [markdown]
# ## 7 Does anything leak?
#
# The evaluator refuses a split that holds one pair of person and film in two parts; here it is asked before any model
# is trained. Two quieter leaks can't be refused, since whole branches of the literature live with them, but they can be
# measured: a person's *own* later ratings in training, and ratings that *others* gave later.

# %%
leaks = protocols.leaks(made)
study.show(
    leaks,
    "leaks",
    "Overlap, and how much of the future a model sees",
    {
        "protocol": "Protocol",
        "overlap": nb.Column("In two parts", "What the evaluator objects to"),
        "own_future": nb.Column("Own future", "Test ratings older than something known of the same person", ".1%"),
        "others_future": nb.Column(
            "Others' future", "Share of what was learned that is newer than a test rating", ".1%"
        ),
    },
)

# %%
worst = leaks.sort_values("own_future").iloc[-1]
nb.say(
    f"Under **{worst['protocol']}**, {worst['own_future']:.1%} of the test ratings are older than something the model",
    "knows of the same person." if worst["own_future"] else "knows of the same person: no protocol here does that.",
)

# %% [markdown]
# ## 8 Atomic files
#
# RecBole reads tab-separated files whose headers carry types. We write them, read them back like anybody's data, and
# compare the fingerprints.

# %%
folder = settings.output_dir(data.name) / "runs" / "atomic" / data.name
trip = protocols.atomic_round_trip(data, folder)
study.show(
    trip.files,
    "atomic",
    "The content came back unchanged" if trip.same else "The content did NOT come back unchanged",
    {"file": "File", "header": "Header", "rows": nb.Column("Rows", "", ","), "megabytes": nb.Column("MB", "", ".2f")},
)

# %% [markdown]
# ## 9 Cost
#
# The original study read its text files anew for every prediction. Ours are read and judged once and kept as Parquet.

# %%
seconds = card.load_seconds(dataset)
faster = trip.read_seconds / seconds
nb.say(
    f"Reading and validating the text takes {trip.read_seconds:.2f} s on this machine, loading again {seconds:.3f} s:",
    f"{faster:.0f} times as fast." if faster >= 1.5 else "no gain worth having at this size.",
)

# %% [markdown]
# ## 10 Limits
#
# - MovieLens ratings were given by people who came to rate films, often many in one sitting, on pages that the site
#   itself had filled. They are neither plays nor a sample of any country's viewers.
# - Validation proves that values are possible, not that they are true. Nobody can check from here whether a person is
#   as old as the file says.
# - A title that is listed twice counts as two films, in the protocols and in every model; the checks say how many.

# %% [markdown]
# ## 11 Answer

# %% tags=["answer"]
n_mended = quality.mended(data)
overlapping = leaks.loc[leaks["overlap"] != protocols.NO_LEAK, "protocol"].tolist()
warned = checks[checks["severity"] == quality.WARNING]
known = [name.replace("_", " ") for name in c.USERS[1:] if len(people.labels(data, name))]
nb.answer(
    f"**{data.name}**: {facts['ratings']:,.0f} ratings of {facts['users']:,.0f} people for {facts['movies']:,.0f} "
    f"films, {facts['density']:.1%} of the table filled, fingerprint `{data.info['fingerprint'][:12]}`.",
    f"{n_mended:,} rows were mended on reading; {len(warned)} of {len(checks)} checks warn"
    + (": " + "; ".join(f"{row.check.lower()} ({row.share:.0%})" for row in warned.itertuples()) + "."
       if len(warned) else "."),
    f"Nothing stands in two parts of any of the {len(made)} protocols." if not overlapping
    else f"**Void:** {', '.join(overlapping)} hold ratings in two parts.",
    f"What is known of people beyond their ratings: {', '.join(known) or 'nothing'}.",
    "The content survives RecBole's atomic files unchanged." if trip.same
    else "**The content does not survive RecBole's atomic files: don't compare with RecBole before this is mended.**",
)  # fmt: skip

# %% [markdown]
# ## References
#
# - F. M. Harper, J. A. Konstan (2015). The MovieLens datasets: history and context. ACM TiiS 5(4).
# - T. Gebru et al. (2021). Datasheets for datasets. Communications of the ACM 64(12).
# - W. X. Zhao et al. (2021). RecBole: towards a unified, comprehensive and efficient framework for recommendation
#   algorithms. CIKM.
# - Y. Ji, A. Sun, J. Zhang, C. Li (2023). A critical study on data leakage in recommender system offline evaluation.
#   ACM TOIS 41(3).
#
# ## Settings

# %%
kept = pd.DataFrame([(name, split.hash) for name, split in made.items()], columns=["protocol", "hash"])
study.show(
    kept, "splits", f"Splits of {data.name}, by the hash of their labels", {"protocol": "Protocol", "hash": "Hash"}
)
