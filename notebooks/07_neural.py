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
# # Does a network see more?
#
# *Matrix factorisation, a perceptron and a recurrent network, against the plainest models that do the same job.*

# %% [markdown] tags=["badge", "hide"]
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/ai-cine/ai-cine/blob/main/notebooks/07_neural.ipynb)

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
# The original study trained a matrix factorisation, a multilayer perceptron and a recurrent network in Keras, and
# explained them by saying that "dimension reduction captures the pattern" of people's tastes. A network can express
# more than a product of two vectors. Whether it *finds* more in the ratings of one service is another matter, and has
# three parts: does a perceptron beat the product? does it help to read a history in its order? and does the answer
# hold for stars as well as for lists?
#
# **What would change our mind.** If no network here stood above the linear model EASE for lists, or above Surprise's
# SVD for stars, T should not pay for one on this evidence. If one did, order or depth is worth its price.

# %%
import pandas as pd

from aicine_utils import columns as c
from aicine_utils import notebook as nb
from aicine_utils.models import registry
from aicine_utils.models.neural import sequences
from aicine_utils.report import plots
from aicine_utils.study import comparison, order

study = nb.open_study("07_neural", dataset, preset, seed)

# %% [markdown]
# ## 2 The data as these models see it
#
# MF and MLP see single ratings: a person, a film, stars. The recurrent network sees each person's films in the order of
# time. How much of an order is there? People enter many ratings in one sitting, often in the same second; within one
# second the file's own order is all that is left.

# %%
final = study.split.for_test()
watched, starts, _ = sequences.sequences(final, final.train)
window = registry.create("gru", study.data.name).params["window"]
inputs, _ = sequences.windows(watched, starts, window, len(final.movie_ids))
gaps = final.train.sort_values([c.USER, c.TIMESTAMP], kind="stable").groupby(c.USER)[c.TIMESTAMP].diff().dropna()
facts = {"Ratings to learn from": len(watched), "People": len(final.user_ids), "Films": final.train[c.MOVIE].nunique(),
         f"Windows of {window} films that hold all histories": len(inputs)}  # fmt: skip
study.show(pd.DataFrame(facts.items(), columns=["what", "n"]), "sizes", "What the networks are given",
           {"what": "What", "n": nb.Column("Number", "", ",")})  # fmt: skip
tied = float((gaps == pd.Timedelta(0)).mean())
nb.say(f"{tied:.0%} of all steps from one rating to the next take no time at all.")

# %% [markdown]
# ## 3 Models
#
# All are written in torch on one training loop: Adam on batches cut from tensors, a learning rate that falls along half
# a cosine, and an end when validation has not improved for some passes.
#
# - **MF for stars** (Koren et al. 2009): $\mu + b_u + b_i + q_i^\top p_u$, squared error with a penalty. The same
#   formula as Surprise's SVD, another way of training it.
# - **MF for lists**: $b_i + q_i^\top p_u$, trained to tell the film that was watched from films drawn at random, by a
#   softmax over the drawn ones (Bengio & Senécal 2008) or by pairs (BPR, Rendle et al. 2009).
# - **MLP for stars**: $\mu + f([p_u, q_i])$, where $f$ is a perceptron that may bend in any way.
# - **NeuMF** (He et al. 2017): a product beside a perceptron, $w^\top(p_u \circ q_i) + f([p'_u, q'_i])$, by
#   cross-entropy against drawn films.
# - **GRU** (after Hidasi et al. 2016): $h_t = \mathrm{GRU}(h_{t-1}, q_{i_t})$ reads a history film by film; the next
#   film is scored by $q_j^\top W h_t + b_j$, by cross-entropy over *all* films at *every* position of the history.
#
# Controls: for stars Baseline and SVD of notebook 05; for lists the most liked films, iALS and EASE.

# %% [markdown]
# ## 4 Training
#
# The number of passes is found on ratings that training does not see: on validation ratings, by the search that also
# found the other settings, or, where there was none, on the last tenth of each person's known ratings. Then the model
# starts anew, with all known ratings, for as many passes. The test takes no part. Curves of the second kind are marked
# *held out*; their heights can't be compared with those of the first.

# %%
neural = registry.names("neural")
controls = ["baseline", "svd", "popularity", "ials", "ease"]
results = study.run([*controls, *neural])
board = study.leaderboard(results)
raters, makers = board.dropna(subset=["rmse"]).sort_values("rmse"), board[board["rmse"].isna()]

# %%
curves = study.curves({name: results[name] for name in neural})
listers = curves.dropna(subset=["ndcg@10"])
best = listers.loc[listers.groupby("label", sort=False)["ndcg@10"].idxmax()]
study.figure(
    plots.curve_plot(listers, "epoch", "ndcg@10", "label", y_label="NDCG@10 on validation"),
    "curves_lists",
    "Best pass for lists: " + ", ".join(f"{row.label} {row.epoch:.0f}" for row in best.itertuples()),
    "Lines of NDCG@10 on validation over passes through the training data, one line a model.",
    listers,
)

# %%
stars = curves.dropna(subset=["rmse"])
best = stars.loc[stars.groupby("label", sort=False)["rmse"].idxmin()]
study.figure(
    plots.curve_plot(stars, "epoch", "rmse", "label", y_label="RMSE on validation, stars"),
    "curves_stars",
    "Best pass for stars: " + ", ".join(f"{row.label} {row.epoch:.0f} ({row.rmse:.3f})" for row in best.itertuples()),
    "Lines of RMSE on validation over passes through the training data, one line a model.",
    stars,
)

# %%
best = pd.concat([rows.loc[rows.groupby("model")[m].idxmax() if m == "ndcg@10" else rows.groupby("model")[m].idxmin()]
                  for m, rows in (("ndcg@10", listers), ("rmse", stars))])  # fmt: skip
allowed = best["model"].map({name: results[name].manifest["params"]["epochs"] for name in neural})
cut_short = best.loc[best["epoch"] >= allowed, "label"]
nb.say(f"Best at the last pass that they are allowed, so perhaps cut short: {', '.join(cut_short) or 'none'}.")

# %% [markdown]
# ## 5 Results
#
# Lists first, of all models; then stars, of those that predict them. Shared places are models that paired tests with
# Holm's correction for all pairs can't tell apart; a single pair named below it is one test, without that correction.

# %%
study.show_board(board, "results", "Lists of the networks and of the controls", ["place", *nb.RANKING])

# %%
first = makers.iloc[0]
study.figure(
    plots.interval_plot(board, "ndcg@10"),
    "intervals",
    f"For lists, {nb.tied(board)} in first place; {first['label']} has NDCG@10 {first['ndcg@10']:.3f}",
    "Dot and interval of NDCG@10 for each model, best on top.",
    board[["label", "family", "ndcg@10", "ndcg@10_low", "ndcg@10_high"]],
)

# %%
study.show_board(raters, "stars", "Predicted stars", ["place_rmse", "rmse", "mae"])

# %% [markdown]
# ### Does depth help?
#
# NeuMF's authors reported that a perceptron beats the plain product; Rendle et al. (2020) found the product better once
# it is tuned as well. Here are both pairs: the product against the perceptron for stars, and against the product *plus*
# the perceptron for lists. The second pair differs in more than depth, since each has the loss, the sampling and the
# size of its own paper or search (the table of settings has them): it compares two models, not depth alone.

# %%
gains = {"stars (mean error saved)": nb.gap(results["torch_mf"], results["mlp"], "mae", 0),
         "lists (NDCG@10 gained)": nb.gap(results["neumf"], results["torch_mf_rank"])}  # fmt: skip
deep = pd.DataFrame(gains.values(), index=pd.Index(gains, name="job")).reset_index()
sides = deep["low"].gt(0).astype(int) - deep["high"].lt(0).astype(int)
deep["verdict"] = sides.map({1: "helps", -1: "hurts", 0: "can't be shown to help or hurt"})
study.show(
    deep,
    "depth",
    "What depth gains over the product, on the same people",
    {"job": "For", "difference": nb.Column("Gain", "Mean paired difference", "+.4f"),
     "low": nb.Column("from", "95 % interval", "+.4f"), "high": nb.Column("to", "95 % interval", "+.4f"),
     "verdict": "Depth"},
)  # fmt: skip

# %% [markdown]
# ## 6 Does order matter?
#
# The trained GRU is asked again, with the films that it reads in another order. Nothing is retrained. If a shuffled
# history gives as good a list, the network has learned *what* people watch together, which EASE knows too, and not
# *when*. That a shuffled one gives a worse list shows that this network relies on order, not that order alone is worth
# as much: it never saw a shuffled history in training. A second question is how much of a history it needs.

# %%
gru = {"gru": results["gru"].model()}
orders = order.by_order(gru, final, seed).pivot(index=c.USER, columns="order", values=c.VALUE)
shift = comparison.differences(orders, order.AS_WATCHED).rename_axis("order").reset_index()
study.show(
    shift,
    "orders",
    f"The GRU's NDCG@10 when a history is not read as watched ({orders[order.AS_WATCHED].mean():.3f})",
    {"order": "History", "difference": nb.Column("Difference", "Mean paired difference in NDCG@10", "+.3f"),
     "low": nb.Column("from", "95 % interval", "+.3f"), "high": nb.Column("to", "95 % interval", "+.3f"),
     "p_holm": nb.Column("p", "Paired t test, Holm's correction", ".2g")},
)  # fmt: skip

# %%
lengths = order.by_length(gru, final, [n for n in (1, 2, 5, 10, 20, 50, 100) if n <= window])
by_length = lengths.groupby("length", as_index=False)[c.VALUE].mean()
ease = results["ease"].values().mean()
short = by_length[by_length[c.VALUE] >= 0.9 * by_length[c.VALUE].iloc[-1]]["length"].iloc[0]
fig = plots.curve_plot(by_length, "length", c.VALUE, x_label="Last films read", y_label="NDCG@10")
fig.axes[0].axhline(ease, color=plots.MUTED, linestyle="--", linewidth=1)
study.figure(
    fig,
    "lengths",
    f"The last {short} films are enough for nine tenths of what {by_length['length'].iloc[-1]} give; dashed: EASE",
    "A line of the GRU's NDCG@10 over the number of last films that it reads, and a dashed line at EASE's.",
    by_length,
)

# %% [markdown]
# ## 7 Where it wins and loses
#
# Long histories give a network more to read; short ones are where a prior matters. Groups as in the other notebooks.

# %%
panel = {name: results[name] for name in ("popularity", "ease", "torch_mf_rank", "gru")}
groups = pd.concat([study.by_group(panel).query("attribute in ['activity', 'gender']"),
                    study.by_shelf(panel).query("group != 'new'")], ignore_index=True)  # fmt: skip
tail = groups[groups["group"] == "tail"].set_index("label")["value"]
names = {name: registry.entry(name).label for name in panel}
study.figure(
    plots.group_plot(groups, "value", "NDCG@10 by person, Recall@10 by film"),
    "groups",
    f"Of the rarely watched films that people like, EASE's lists find {tail.get(names['ease'], 0):.1%}, the GRU's "
    f"{tail.get(names['gru'], 0):.1%}",
    "Panels by gender where known, activity of the person, popularity of the film; a marker a model.",
    groups,
)

# %% [markdown]
# ## 8 Look at it
#
# One person's last films and the lists of four models (★ liked later), and the films that the networks hold nearest to
# a well-known one. None of them has read a title.

# %%
someone = study.typical_users(1)[0]
study.show_history(someone, 5)
study.show_lists(panel, someone)
study.show_similar({name: results[name] for name in ("torch_mf", "torch_mf_rank", "gru")}, study.well_known(1)[0])

# %% [markdown]
# ## 9 Cost
#
# Training time is that of the final training and, for a model whose passes no search had counted, of the training that
# counts them.
# `benchmarks/torch_loops.py` compares the loop with a `DataLoader` of rows, as tutorials write it.

# %%
study.show_board(board, "cost", "What the models cost, and what else their lists do", nb.BEYOND, cost=True)

# %% [markdown]
# ## 10 Limits
#
# - One training each. Intervals and tests speak of other people; another seed moves a network, too, and isn't shown.
# - A service's order of watching is not MovieLens' order of rating: people here work through lists of films that they
#   saw years ago. An effect of order found here may be the order of MovieLens' own pages.
# - The GRU is told nothing of the time between films. Stars decide only which films are worth predicting, where its
#   setting `liked` says so.
# - The perceptrons are small; the table of settings says how small, and which settings were searched.
#
# ## 11 Answer

# %% tags=["answer"]
stars_first, shuffled = raters.iloc[0], shift.set_index("order").loc["Shuffled"]
matters = "The GRU relies on order" if shuffled["sign"] < 0 else "Order can't be shown to matter to the GRU"
nb.answer(
    f"Lists: first place goes to {nb.tied(board)}. {nb.versus(results['gru'], results['ease'])}; "
    f"{nb.versus(results['torch_mf_rank'], results['ials'])}.",
    f"Stars: first place goes to {nb.tied(raters, 'place_rmse')}. {stars_first['label']} has RMSE "
    f"{nb.measured(stars_first, 'rmse')}. The formula of factorisation trained by Surprise, SVD, has "
    f"{nb.measured(raters.set_index('model').loc['svd'], 'rmse')}, and in torch "
    f"{nb.measured(raters.set_index('model').loc['torch_mf'], 'rmse')}.",
    "Depth: " + "; ".join(f"for {row.job} it {row.verdict}" for row in deep.itertuples())
    + " (the models of lists differ in their loss, too).",
    f"{matters}: a shuffled history changes the GRU's NDCG@10 by "
    f"{nb.number(shuffled['difference'], shuffled['low'], shuffled['high'])}, and its last {short} films give nine "
    "tenths of its quality.",
)  # fmt: skip

# %% [markdown]
# ## References
#
# - Y. Koren, R. Bell, C. Volinsky (2009). Matrix factorization techniques for recommender systems. Computer 42(8).
# - Y. Bengio, J.-S. Senécal (2008). Adaptive importance sampling to accelerate training of a neural probabilistic
#   language model. IEEE TNN 19(4).
# - S. Rendle, C. Freudenthaler, Z. Gantner, L. Schmidt-Thieme (2009). BPR: Bayesian personalized ranking from implicit
#   feedback. UAI.
# - X. He, L. Liao, H. Zhang, L. Nie, X. Hu, T.-S. Chua (2017). Neural collaborative filtering. WWW.
# - S. Rendle, W. Krichene, L. Zhang, J. Anderson (2020). Neural collaborative filtering vs. matrix factorization
#   revisited. RecSys.
# - B. Hidasi, A. Karatzoglou, L. Baltrunas, D. Tikk (2016). Session-based recommendations with recurrent neural
#   networks. ICLR.
# - H. Steck (2019). Embarrassingly shallow autoencoders for sparse data. WWW.
#
# ## Settings

# %%
nb.provenance_note(study, results)
