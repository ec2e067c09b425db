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
# # Does it pay to learn from every click, and what does it cost?
#
# *The last ratings again, in the order in which they came; a made-up service that feeds on its own lists; and a new
# model judged by an old one's log.*

# %% [markdown] tags=["badge", "hide"]
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/ai-cine/ai-cine/blob/main/notebooks/11_feedback_loop.ipynb)

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
seed = 0  # seed of every model and of the simulator
windows = 0  # the replay's windows are days where so many reach the end, else 20 longer ones; 0: the preset's number
rounds = 0  # rounds of the simulated service; 0: the preset's
people = 300  # in each simulated service
runs = 0  # simulated services, each with other people and other luck; 0: the preset's
live = False  # True in JupyterLab: rate films yourself in section 9

# %% [markdown]
# ## 1 Question
#
# The original study ends with a circle in words: collect feedback, update the model, evaluate, begin again. Here it
# runs. T would like to know whether a list must change at once, every night or never; which feedback to collect; what a
# service does to itself when it learns from clicks on its own lists; and whether a log can say how good a new model
# would be before anyone sees it.
#
# **What would change our mind.** If a model that never learns again were as good over the whole replay, T could train
# once and stop there. If refitting added more than updating by more than chance, cheap updates would not do.

# %%
from aicine_utils import notebook as nb
from aicine_utils.feedback import comparing, offpolicy, policies, reading, replay, service, signals, simulator
from aicine_utils.feedback import update as updates
from aicine_utils.findings import feedback_loop as told
from aicine_utils.report import feedback_plots as pictures

study = nb.open_study("11_feedback_loop", dataset, preset, seed)
windows, rounds = windows or study.preset.windows, rounds or study.preset.rounds
runs = runs or study.preset.services
MODELS = ["recent_popularity", "item_knn", "ease", "ials", "sasrec"]

# %% [markdown]
# ## 2 The data as a service would meet them
#
# All ratings in one order of time, cut once: the first four fifths are there when the service opens, the rest arrives
# window by window. A window's ratings are first predicted, then learned from (*prequential*: test, then train).

# %%
parts = service.windows(study.split, study.data.ratings, most=windows)
nb.say(told.windows(parts))

# %% [markdown]
# ## 3 Three ways to keep a model, and what an update is
#
# - **Frozen**: fitted at the cut, never again. It knows neither what people rated since nor who came since.
# - **Updated**: after each window the model takes in what is new by the cheapest way that is honest.
# - **Refitted**: fitted from zero before each window.
#
# For EASE the update is exact. Let $P = (X^\top X + \lambda I)^{-1}$, and let some people's rows become $X'$, which is
# $D$ more than they were. With $V = [D; X']$ and $K^{-1} = \begin{pmatrix}0&I\\I&I\end{pmatrix}$, the Woodbury
# identity gives $P' = P - P V^\top (K^{-1} + V P V^\top)^{-1} V P$: a matrix as small as the news. SASRec keeps its
# weights and reads longer histories; it is trained once, for a refit a day would take hours. What a person has rated
# before a window is in none of that person's lists, whichever the way. Settings are defaults, since every search was
# allowed to see ratings that are replayed here; only the network's are its committed winner's, where there is one:
# compare its ways, not its level.

# %%
rules = updates.table()
study.show(rules[rules["model"].isin(MODELS)].replace({True: "yes", False: "no"}), "rules", "What an update does", {
    "label": "Model", "update": "Update", "exact": nb.Column("Exact", "Whether the lists are those of a refit"),
    "new_movies": nb.Column("New films", "Whether they can be listed before the next refit"),
})  # fmt: skip

# %% [markdown]
# ## 4 Replay
#
# A line a model; two are replayed at once, and in a report other notebooks run beside them: read the seconds below as
# ratios. A second execution of this notebook reads what the first one kept.

# %%
if parts:
    values = study.keep("replay", lambda: service.run_all(study.split, parts, MODELS, seed, service.PROCESSES),
                        "aicine_utils.feedback.service", windows=windows, models=MODELS,
                        code=service.code())  # fmt: skip

# %% [markdown]
# ## 5 Results
#
# NDCG@10 of the list before a window, for everyone who likes something in it; first averaged over each person's
# windows, then over people, who are resampled for the intervals. Differences are paired.

# %%
if parts:
    totals = replay.summary(values, study.preset.resamples)
    study.show(totals, "replay", f"NDCG@10 of {len(parts)} windows, {totals['n_users'].iloc[0]} people", {
        "label": "Model",
        **{way: nb.Column(way.capitalize(), format=".3f", direction="higher") for way in replay.WAYS},
        "gain": nb.Column("Updated − frozen", "Paired, with its 95 % interval", "+.3f", "higher"),
        "left": nb.Column("Refitted − updated", "Paired, with its 95 % interval", "+.3f"),
    })  # fmt: skip
    nb.say(told.gain(totals))

# %% [markdown]
# **Over time.** A frozen model grows stale; if that matters, the line climbs.

# %%
if parts:
    moving = replay.over_time(values, resamples=study.preset.resamples)
    gains = moving[moving["way"] == "gain"]
    study.figure(pictures.gains(gains), "over_time", told.stale(gains),
                 "What updating adds to frozen in each stretch of the replay, a line a model with intervals.",
                 moving)  # fmt: skip

# %% [markdown]
# **For whom.** Someone whom nothing is known of can only be shown what others watch; an update tells the model more
# about them when they come back. MovieLens' people give most of their ratings in one sitting, so few come back. Who
# leads here need not lead under notebook 10's one cut in time: lists change with each window, settings are defaults,
# and the counts of *most watched lately* halve each month.

# %%
if parts:
    kinds = replay.by_kind(values, study.preset.resamples)
    study.show(kinds, "kinds", "By what was known of the person before the window", {
        "kind": "Person", "label": "Model", "n_users": nb.Column("People", format=",.0f"),
        "updated": nb.Column("Updated", format=".3f"),
        "gain": nb.Column("Updated − frozen", "Paired, with its 95 % interval", "+.3f"),
    })  # fmt: skip
    nb.say(told.leaders(kinds))

# %% [markdown]
# **How quick must it be?** Within a sitting a window is too coarse. Here weights stay as they were at the cut, and the
# model predicts each next liked film from a person's history up to then, with the newest ratings withheld: none, one,
# five, twenty, or all since the cut. The last is not a longer step on the same ladder: for someone who has rated fewer
# since, twenty reach back before the cut and withhold more. MovieLens shows films page by page, so part of this is its
# pages' order.

# %%
if parts:
    lost = reading.losses(values[values["measure"] == reading.NEXT], study.preset.resamples)
    study.figure(pictures.delays(lost), "delay", told.delay_title(lost),
                 "NDCG@10 lost by each delay against reading at once, a line a model.", lost)  # fmt: skip
    nb.say(told.delay(lost))

# %% [markdown]
# ## 6 Cost
#
# Seconds on the machine that made this page, for the whole replay and the median for one window.

# %%
if parts:
    spent = replay.costs(values)
    cost = {"fit": "First fit, s", "updated": "All updates, s", "updated_once": "One update, s",
            "refitted": "All refits, s", "refitted_once": "One refit, s"}  # fmt: skip
    study.show(spent, "cost", "What each way costs", {
        "label": "Model", **{name: nb.Column(title, format=".3f", direction="lower") for name, title in cost.items()},
    })  # fmt: skip
    nb.say(told.refit(totals, spent))

# %% [markdown]
# ## 7 Which feedback: stars, behaviour, or both?
#
# MovieLens has stars and nothing else: no play, no stop, nothing of what was shown and passed over. Plays, stops and
# dismissals are **invented** from the stars by the rule `replay` of `configs/signals.yaml` (the better liked, the
# likelier watched to the end), and a part of the ratings is told as such: stars alone know fewer films. So what follows
# tests the rules that turn events into signals, not how people watch. Models learn from the signals of each set of
# rules; validation ratings judge. The sets: *explicit* reads stars alone, *implicit* all but stars and comments,
# *default* both; *ageless* is the default without fading; *finished* counts only what was watched to the end; *watched*
# counts whatever was watched as one, liked or not, as the models of the other notebooks do.

# %%
compared = study.keep(
    "signals", lambda: comparing.compare_rules(study.split, seed=seed), "aicine_utils.feedback.comparing"
)
by_rule, gaps = told.rule_tables(compared, study.preset.resamples)
study.show(by_rule, "signals", "What models make of the same events under each set of rules", {
    "label": "Model", "rule": "Rules", "ndcg": nb.measure_column("ndcg@10"),
    "spearman": nb.Column("ρ with stars", "Rank correlation of scores and later stars, within people", ".3f", "higher"),
})  # fmt: skip
nb.say(told.signals(gaps, signals.share_rated()), told.best_rules(by_rule))

# %% [markdown]
# ## 8 A service that learns from its own lists
#
# No log can show what would have happened with other lists, so here people are made up, and their tastes known. What is
# assumed: (1) the chance that a person likes a film follows from the stars that SVD, fitted to the data, predicts, and
# never changes; (2) rank $r$ is looked at with chance $1/\log_2(r + 1)$, whatever stands there; (3) a click is a look
# times a liking, each drawn anew; (4) a clicked film is watched and never shown to that person again; (5) the first
# lists are drawn by chance, all come once a round, and the policy learns between rounds. A policy marked *no loop* is
# watched as the others are, but learns from clicks on lists drawn by chance that run beside: the difference is what the
# loop does.

# %%
svd = study.run(["svd"])["svd"]
missed = svd.predictions["rating"] - svd.predictions["predicted"]
threshold = simulator.between(study.split)
world = simulator.world_of(svd.model(), threshold, float(missed.std()))
rounds = simulator.longest(world, rounds)
made_up = simulator.appeal_of_stars(svd.predictions["predicted"].to_numpy(), threshold, float(missed.std())).mean()
seen = (svd.predictions["rating"] >= study.split.min_relevant).mean()
nb.say(f"Of the test's films this world likes {made_up:.0%}, the data {seen:.0%}. {runs} services of {people} people "
       f"and {world.appeal.shape[1]} films, {rounds} rounds each; intervals are over the services.")  # fmt: skip

# %%
lived = study.keep("simulated", lambda: simulator.simulate(world, policies.POLICIES, rounds, runs, people, seed),
                   "aicine_utils.feedback.policies", rounds=rounds, runs=runs, people=people)  # fmt: skip
change = simulator.interval_over_runs(simulator.change(lived))
ended = simulator.over_rounds(lived, first=rounds - rounds // 4)
loops = {name: simulator.interval_over_runs(ended, f"{name}, no loop") for name in ("Popularity", "EASE")}
shown = {"share_of_best": "Clicks / best possible", "coverage": "Coverage of a round"}
study.figure(pictures.rounds(lived, shown), "rounds", told.shrinks(change, "EASE"),
             "Two panels over rounds: clicks as a share of the best possible, and coverage; a line a policy.",
             lived.groupby(["policy", "round"], sort=False)[list(shown)].mean().reset_index())  # fmt: skip
nb.say(*(told.loop(table, name) + "." for name, table in loops.items()))

# %% [markdown]
# **What exploring costs.** A share of places filled by chance, or Thompson sampling, which shows what might be good as
# often as it might be: clicks lost now against a catalogue better known later.

# %%
whole = simulator.over_rounds(lived)
study.show(simulator.interval_over_runs(whole).reset_index(), "policies", "Means over all rounds after the first", {
    "policy": "Policy", "clicks": nb.Column("Clicks", "Expected clicks of a list", ".3f", "higher"),
    "share_of_best": nb.Column("Of the best", "Clicks over those of the best list that was left", ".3f", "higher"),
    "coverage": nb.Column("Coverage", "Share of films in anyone's list of a round", ".2f", "higher"),
    "gini": nb.Column("Gini", "How unequally a round's lists fall on films", ".2f", "lower"),
})  # fmt: skip
against = {name: simulator.interval_over_runs(whole, name) for name in ("EASE", "Popularity")}
told_levels = told.levels(simulator.interval_over_runs(whole), ["Thompson sampling", "Popularity", "EASE", "Chance"])
nb.say(told_levels, told.exploration(against["EASE"], ["EASE, 10 % by chance", "EASE, 30 % by chance"], "EASE"),
       told.exploration(against["Popularity"], ["Thompson sampling", "Clicks per look"], "popularity"))  # fmt: skip

# %% [markdown]
# **Can a log judge a list that nobody saw?** An old policy (popularity) showed its list, and in a fifth of all cases
# one drawn by chance; the question is what EASE's lists would have brought. With $E(i \mid u)$ the chance that film $i$
# is looked at, each logged click weighs $w = E_\text{new} / E_\text{old}$, and
# $\text{IPS} = \frac{1}{n} \sum w\, \text{click}$ (inverse propensity scoring) is unbiased; *self-normalised* divides
# by what the weights came to, *doubly robust* starts from a model's guess and corrects it. *Clicks counted* forgets who
# chose the lists. Nothing is used up by watching here.

# %%
judged = offpolicy.experiment(world, people, epsilon=0.2, times=10, seed=seed, resamples=study.preset.resamples)
found, truth = judged.estimates, judged.truth
study.figure(pictures.estimates(found, truth), "offpolicy", told.offpolicy(found, truth),
             "Estimate and interval of each method, with the truth as a line.", found)  # fmt: skip

# %%
checked = offpolicy.repeated(*judged.setting, epsilons=(0.05, 0.2, 0.5), logs=10 * runs)
checked["tells"] = checked["tells"].where(checked["holds"] >= told.RELIABLE)
study.show(checked, "offpolicy_checked", f"The same over {10 * runs} logs, by how much the old policy explored", {
    "epsilon": nb.Column("By chance", "Share of lists drawn by chance", ".0%"), "method": "Method",
    "mean": nb.Column("Mean", f"Mean estimate; the truth is {judged.truth:.3f}", ".3f"),
    "error": nb.Column("Error", "Root mean square, clicks a list", ".3f", "lower"),
    "holds": nb.Column("Holds the truth", "Share of the 95 % intervals", ".0%", "higher"),
    "tells": nb.Column("Tells who is better", "Share of the intervals on the right side of the old lists' clicks, "
                       f"{judged.truth_old:.3f}; of methods that hold the truth, since one that always errs to the "
                       "same side is right by luck", ".0%", "higher"),
})  # fmt: skip

# %% [markdown]
# ## 9 Try it
#
# In JupyterLab set `live = True` above and run this cell: ten films, five buttons each. A click goes to the store, and
# the list changes at once. The same from the command line:
# `python -m aicine_utils rate --user me --movie Heat --stars 5`, then
# `python -m aicine_utils recommend --model ease --user me`.

# %%
if live:
    from IPython.display import display

    from aicine_utils.feedback import store, widget

    shelf = widget.Shelf(study.data, "ease", study.run(["ease"])["ease"].model(), study.split,
                         store.open_for(study.data), "me")  # fmt: skip
    display(shelf.box)
else:
    nb.say("*This page is a print: the films to rate appear in JupyterLab.*")

# %% [markdown]
# ## 10 Limits
#
# - The replayed people chose from MovieLens' pages, not from our lists: no way is rewarded for a list that would have
#   changed what they watched, and the order within a sitting is partly the site's.
# - Intervals of the replay are over people, given these windows; another period could differ by more. Each is a 95 %
#   interval of its own, without correction for how many stand side by side.
# - Plays and stops are invented from stars by a rule. Nothing here says how people watch.
# - The simulator's people have fixed tastes that one model drew. It shows what loops *can* do, and no number of it
#   carries over to T. Its position model is known exactly; T would have to estimate it, by swapping neighbours now and
#   then.

# %% [markdown]
# ## 11 Answer

# %% tags=["answer"]
nb.answer(
    *([told.course(totals, lost, parts[0].days)] if parts else []),
    *([told.leaders(kinds), told.gain(totals)] if parts else [told.windows(parts)]),
    *([told.refit(totals, spent), told.delay(lost)] if parts else []),
    told.signals(gaps, signals.share_rated()),
    f"{told.shrinks(change, 'EASE')}. {told.loop(loops['EASE'], 'EASE')}.",
    told_levels,
    told.exploration(against["EASE"], ["EASE, 10 % by chance", "EASE, 30 % by chance"], "EASE"),
    told.best_estimate(checked),
)

# %% [markdown]
# ## References
#
# - J. Gama, R. Sebastião, P. P. Rodrigues (2013). On evaluating stream learning algorithms. Machine Learning 90.
# - H. Steck (2019). Embarrassingly shallow autoencoders for sparse data. WWW.
# - N. Craswell, O. Zoeter, M. Taylor, B. Ramsey (2008). An experimental comparison of click position-bias models. WSDM.
# - T. Joachims, A. Swaminathan, T. Schnabel (2017). Unbiased learning-to-rank with biased feedback. WSDM.
# - A. Chaney, B. Stewart, B. Engelhardt (2018). How algorithmic confounding in recommendation systems increases
#   homogeneity and decreases utility. RecSys.
# - O. Chapelle, L. Li (2011). An empirical evaluation of Thompson sampling. NeurIPS.
# - S. Li et al. (2018). Offline evaluation of ranking policies with click models. KDD.
# - A. Swaminathan, T. Joachims (2015). The self-normalized estimator for counterfactual learning. NeurIPS.
# - M. Dudík, J. Langford, L. Li (2011). Doubly robust policy evaluation and learning. ICML.
#
# ## Settings

# %%
nb.provenance_note(study, {"svd": svd})
