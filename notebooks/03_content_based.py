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
# # Can a film be recommended from what is written on it?
#
# *Title, genres and decade as vectors: what the words buy, what they miss, and the films that have nothing else.*

# %% [markdown] tags=["badge", "hide"]
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/ai-cine/ai-cine/blob/main/notebooks/03_content_based.ipynb)

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
# A film that joins T's catalogue tonight has no viewers yet, but it has a title, genres and a year. The original study
# turned such words into a vector for each film and recommended what lies nearest to the mean of a person's films. Is
# that good enough for a home row, or is it a tool for one job only: to place films about which nothing else is known?
#
# **What would change our mind.** If the words did no better than a random list, we would not use them even for new
# films. If they matched the list of most liked films, T could recommend without storing what anybody watches.

# %%
import pandas as pd

from aicine_utils import columns as c
from aicine_utils import inspection
from aicine_utils import notebook as nb
from aicine_utils.models import content, registry
from aicine_utils.report import plots

study = nb.open_study("03_content_based", dataset, preset, seed)
split = study.split.for_test()

# %% [markdown]
# ## 2 The data as these models see it
#
# Each film becomes a bag of words: its title in lower case, its genres, its decade. Nothing of plot, cast or director
# is in MovieLens. These are the bags of the films that most people have rated.

# %%
famous = study.well_known(4)
bags = pd.DataFrame({c.MOVIE: famous, "words": content.words(study.data.movies, famous, genre_weight=1)})
bags["words"] = bags["words"].str.join(" · ")
study.show(study.titles(bags), "words", "What the models know of four films", {c.TITLE: "Film", "words": "Words"})

# %%
described = pd.Series(content.words(study.data.movies, split.movie_ids, genre_weight=1))
uses = described.explode().value_counts()
common = set(uses.index[uses > 1])
bags_in_common = described.map(lambda bag: frozenset(common.intersection(bag)))
twins = bags_in_common.duplicated(keep=False).mean()
nb.say(
    f"The {len(described):,} films use {len(uses):,} different words, of which {len(common):,} stand in more than one",
    "film and so can say that two films are alike. Judged by those,",
    f"**{twins:.0%} of the films have a twin**: another film with exactly the same description.",
)

# %% [markdown]
# ## 3 Models
#
# All three give each film a vector $v_i$ of length 1 and score a film by its cosine to the mean of what the person
# liked, $\text{score}(u, i) = \cos\bigl(v_i, \sum_{j \in L_u} v_j\bigr)$. They differ in where the vectors come from.
#
# - **TF-IDF** (Salton and Buckley 1988) counts a film's words, and weighs a word down the more films have it: $(1 + \ln
#   \text{tf}) \cdot \bigl(\ln \tfrac{1 + n}{1 + \text{df}} + 1\bigr)$. *Drama* says little, *Trek* a lot.
# - **word2vec** (Mikolov et al. 2013) learns a vector for each word from the words beside it, so that *Sci-Fi* and
#   *Space* may come close without being the same. A film is the mean of its words.
# - **Item2vec** (Barkan and Koenigstein 2016) is the control. It is word2vec again, but its sentences are what each
#   person watched, in shuffled order, and its words are films. It has never seen a title.
#
# Most liked and Random stand beside them as the bar and the floor.

# %% [markdown]
# ## 4 Training, and a trap on the way
#
# There is no curve worth showing. But vectors of this kind have **hubs**: films near to the
# centre of the cloud are near to everybody, and fill all lists (Radovanović et al. 2010). The cure is to subtract the
# mean vector first (Suzuki et al. 2013). On the validation ratings one can see what it does.

# %%
words_only = ["content_tfidf", "content_word2vec"]
hubs = study.keep(
    "hubs",
    lambda: inspection.on_validation(words_only, study.split, seed, centred=[False, True]),
    "aicine_utils.inspection",
)
hubs["mean_vector"] = hubs["centred"].map({False: "left in", True: "taken away"})
study.show(
    hubs,
    "hubs",
    "With and without the mean vector, on validation",
    {
        "label": "Model",
        "mean_vector": "Mean vector",
        "ndcg@10": nb.measure_column("ndcg@10"),
        "most_listed": nb.Column("In lists", "Share of all people whose ten films hold the film listed most", ".0%"),
    },
)

# %% [markdown]
# ## 5 Results

# %%
results = study.run(["random", "popularity", *registry.names("content_based")])
board = study.leaderboard(results)
study.show_board(board, "results", "Lists from words, and the controls", ["place", *nb.RANKING])

# %%
by_name = board.set_index("model")
worded = board[board["model"].isin(words_only)].iloc[0]
study.figure(
    plots.interval_plot(board, "ndcg@10"),
    "intervals",
    f"The best use of words, {worded['label']}, reaches NDCG@10 {worded['ndcg@10']:.3f}; "
    f"most liked {by_name.loc['popularity', 'ndcg@10']:.3f}, item2vec {by_name.loc['item2vec', 'ndcg@10']:.3f}",
    "Dot and interval of NDCG@10 for each model, best on top.",
    board[["label", "family", "ndcg@10", "ndcg@10_low", "ndcg@10_high"]],
)

# %% [markdown]
# ## 6 Where it wins and loses
#
# A list of well-known films can't find a rare one. Words treat a film with three viewers like a film with three
# hundred, so the tail is where they should earn their keep. The first panel sorts the liked films by how well they were
# known (each shelf gathers a third of all watching), the second the people by how much they had watched.

# %%
shown = {name: results[name] for name in ["popularity", *words_only, "item2vec"]}
shelves, groups = study.by_shelf(shown), study.by_group(shown, "recall@10")
known, activity = shelves[shelves["group"] != "new"], groups[groups["attribute"] == "activity"]
panels = pd.concat([known, activity], ignore_index=True)
tail = shelves[shelves["group"] == "tail"].sort_values("value", ascending=False)
in_tail = "; ".join(f"{r.label} {nb.number(r.value, r.value_low, r.value_high)}" for r in tail.itertuples())
study.figure(
    plots.group_plot(panels, "value", "Recall@10"),
    "where",
    "Recall on the least watched films: " + ", ".join(f"{r.label} {r.value:.3f}" for r in tail.itertuples()),
    "Recall@10 with intervals; one panel by popularity of the film, one by activity of the person.",
    panels,
)

# %% [markdown]
# ### Films that nobody has rated
#
# The test allows only films with ratings, the same ones for every model, so new films are out of the table above. Here
# we ask what the words *would* do with them: into how many lists of ten would each come, and were those the lists of
# people who did go on to like it? Whether that serves T is measured with a proper test of new films in notebook
# 06.

# %%
placer = results[worded["model"]].model()
likes = study.split.relevant(study.split.test)
new_likes = likes[likes[c.MOVIE].isin(placer.movie_ids_[~placer.known_])]
placed = inspection.would_enter(placer, likes[c.USER].unique())
found = placed.merge(new_likes)
n_new, n_people = int((~placer.known_).sum()), likes[c.USER].nunique()
by_chance = len(placed) / max(n_new * n_people, 1)
unrated = (~study.data.movies[c.MOVIE].isin(study.data.ratings[c.MOVIE])).sum()
nb.say(
    f"{n_new} films of the test had no rating before it, and {unrated} more of the catalogue have none at all.",
    f"{placed[c.MOVIE].nunique()} of the {n_new} would stand in somebody's list. People went on to like such a film",
    f"{len(new_likes)} times, and {len(found)} times their list would have held it",
    f"({len(found) / max(len(new_likes), 1):.1%}; as many places drawn by chance would hold {by_chance:.1%}).",
)

# %%
new = placed[c.MOVIE].value_counts().rename("lists").rename_axis(c.MOVIE).reset_index().head(6)
new["likes"] = new[c.MOVIE].map(new_likes[c.MOVIE].value_counts()).fillna(0).astype(int)
new["near"] = [study.title(placer.similar(movie, 1)[c.MOVIE].iloc[0]) for movie in new[c.MOVIE]]
columns = {"lists": nb.Column("Lists", "People in whose first ten it would stand", ","), "likes": "Later liked by"}
columns = {c.TITLE: "New film", c.GENRES: "Genres", "near": "Nearest known film", **columns}
study.show(study.titles(new), "new_films", f"New films that {worded['label']} would place most often", columns)

# %% [markdown]
# ## 7 Look at it
#
# The nearest films to two that everybody knows: the two with the most ratings, not our choice. Watch for neighbours
# that share only a word of the title, and for those that share an audience without sharing a word.

# %%
vectorisers = {name: results[name] for name in registry.names("content_based")}
study.show_similar(vectorisers, famous[0])

# %%
study.show_similar(vectorisers, famous[1])

# %%
someone = study.typical_users(1)[0]
study.show_history(someone)

# %%
study.show_lists(shown, someone)

# %% [markdown]
# ## 8 Cost and reach
#
# How much of the catalogue do the lists open up, and do they keep to the mix of genres that a person knows? Reach is
# worth something only if what is reached is also liked, so read these columns beside the results.

# %%
study.show_board(board, "cost", "What else the lists do", nb.BEYOND, cost=True)

# %%
most = by_name.loc["popularity"]
nb.say(
    f"{worded['label']} shows {worded['coverage']:.0%} of the catalogue, {most['label'].lower()}"
    f" {most['coverage']:.0%}. It reads genres, and yet its mix of genres lies",
    "nearer to" if worded["calibration"] < most["calibration"] else "farther from",
    f"that of a person's history than the list for everyone does ({worded['calibration']:.2f} against",
    f"{most['calibration']:.2f} nats).",
)

# %%
people = results["content_tfidf"].topk[c.USER].unique()
kept = results["content_tfidf"].topk.query(f"{c.RANK} <= 10").reset_index(drop=True)
again = results["content_tfidf"].model().recommend(people, 10)
same = again[[c.USER, c.MOVIE]].equals(kept[[c.USER, c.MOVIE]])
nb.say(
    f"The saved TF-IDF model, read from its file, gives {len(people):,} people",
    "**exactly the lists of before**." if same else "**other lists than before: the file does not hold the model**.",
)

# %% [markdown]
# ## 9 Limits
#
# - A title, a few genres and a year are poor words. Plots, keywords or reviews would say more; MovieLens has none.
# - The mean of everything that a person liked blurs two tastes into one that nobody has.
# - People rate what they meet, and they meet what is popular. A film that the words rightly suggest, but that the
#   person never met, counts as a miss here: offline tests are unkind to models that reach into the tail.
# - Item2vec needs enough viewers of a film; it knows nothing of new ones.

# %% [markdown]
# ## 10 Answer

# %% tags=["answer"]
best_words, liked, chance = results[worded["model"]], results["popularity"], results["random"]
to_chance, to_liked = nb.gap(best_words, chance), nb.gap(best_words, liked)
verdict = "Hardly: words beat chance, but not a list of what everybody likes" if to_liked.high < 0 else "Yes"
verdict = "As well as by popularity" if to_liked.low <= 0 <= to_liked.high else verdict
verdict = verdict if to_chance.low > 0 else "No: words can't be told from chance"
nb.answer(
    f"**{verdict}.** The best of the word models, {worded['label']}, scores NDCG@10 {nb.measured(worded, 'ndcg@10')}. "
    f"{nb.versus(chance, best_words)}; {nb.versus(liked, best_words)}.",
    f"The same arithmetic on what people watched together: {nb.versus(results['item2vec'], best_words)}.",
    f"Recall@10 on the least watched films: {in_tail}.",
    f"Of {len(new_likes)} likes of films that nobody had rated, lists from words would have held {len(found)}; a model "
    "that reads only ratings has nothing to place them by."
    if len(new_likes)
    else "Nobody liked a film in the test that had no rating before it, so new films can't be judged here.",
)

# %% [markdown]
# ## References
#
# - G. Salton, C. Buckley (1988). Term-weighting approaches in automatic text retrieval. Information Processing &
#   Management 24(5).
# - P. Lops, M. de Gemmis, G. Semeraro (2011). Content-based recommender systems: state of the art and trends.
#   Recommender Systems Handbook.
# - T. Mikolov, I. Sutskever, K. Chen, G. Corrado, J. Dean (2013). Distributed representations of words and phrases and
#   their compositionality. NeurIPS.
# - O. Barkan, N. Koenigstein (2016). Item2vec: neural item embedding for collaborative filtering. MLSP.
# - M. Radovanović, A. Nanopoulos, M. Ivanović (2010). Hubs in space: popular nearest neighbors in high-dimensional
#   data. JMLR 11.
# - I. Suzuki, K. Hara, M. Shimbo, M. Saerens, K. Fukumizu (2013). Centering similarity measures to reduce hubs. EMNLP.
#
# ## Settings

# %%
nb.provenance_note(study, results)
