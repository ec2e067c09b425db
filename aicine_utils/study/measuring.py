"""Sentences on whether the answer depends on how it is measured, from ``sensitivity``, ``leaks`` and ``sampled``."""

from collections.abc import Iterable, Sequence

import pandas as pd

from aicine_utils.findings.choosing import BLEND, BLIND
from aicine_utils.models import registry
from aicine_utils.study.finalists import MODEL, RANDOM, SPLITS
from aicine_utils.study.sensitivity import REFERENCE, Way, changed, reading
from aicine_utils.wording import names_text, ordinal, seconds_text

CHOICES = {"protocol": "the split", "k": "the length of the list", "liked": "what counts as relevant"}


def names(models: Iterable[str]) -> str:
    """Labels of models, each once, as a phrase that names three at most."""
    return _joined(list(dict.fromkeys(registry.entry(name).label for name in models)))


def _joined(texts: list[str]) -> str:
    return names_text(texts)["en"]


def left_out(chosen: pd.DataFrame, seconds_each: float) -> str:
    """Who of the rule's choice is over the budget, with the seconds; who stands in; which families have nobody."""
    out = chosen[~chosen["chosen"]]
    if out.empty:
        return f"All that the rule names trained in {seconds_each:g} s or less: none is left out."
    told = ", ".join(f"{row.label} ({_beyond(row.fit_seconds, seconds_each)})" for row in out.itertuples())
    stand_ins = chosen.loc[~chosen["named"], "label"].tolist()
    instead = f" In their families' place: {', '.join(stand_ins)}." if stand_ins else ""
    heard = chosen.loc[chosen["chosen"], "family"]
    empty = [registry.FAMILIES[name] for name in out["family"].unique() if name not in set(heard)]
    nobody = f" Without any model that fast, and so unheard here: {', '.join(empty)}." if empty else ""
    return f"Left out, because one training took more than {seconds_each:g} s: {told}.{instead}{nobody}"


def _beyond(seconds: float, limit: float) -> str:
    """The seconds, with a digit more where they would read like the limit that they exceed."""
    text = seconds_text(seconds)
    return f"{seconds:.1f} s" if text == seconds_text(limit) else text


def verdict(table: pd.DataFrame, scale: Sequence[float], reference: Way = REFERENCE) -> str:
    """Whether the first place changes, in how many ways, and in which of them for sure."""
    own, others = _parts(table, reference)
    label, n, lost = registry.entry(own["winner"]).label, len(others), others[others["lost"]]
    moved = int((others["winner"] != own["winner"]).sum())
    if not moved:
        return f"**No.** {label} has the highest mean in all {n} other ways of measuring."
    others_lead = others.loc[others["winner"] != own["winner"], "winner"].value_counts()
    said = f"in {moved} of the {n} other ways of measuring another model has the highest mean ({_counted(others_lead)})"
    if lost.empty:
        return f"**Not for certain:** {said}, but paired tests leave {label} in first place in each of them."
    return (
        f"**Yes:** in {len(lost)} of the {n} other ways of measuring, paired tests put {label} behind the first place: "
        f"{_where(lost, scale)}. The highest mean alone, which may be chance, says less: {said}."
    )


def _counted(winners: pd.Series) -> str:
    """``Blend in 22, SVD in 3``, from the number of ways of each model."""
    return _joined([f"{names([name])} in {n}" for name, n in winners.items()])


def _where(lost: pd.DataFrame, scale: Sequence[float]) -> str:
    """The ways in words; the split alone where it is the same in all of several."""
    splits = lost["protocol"].unique()
    if len(lost) > 1 and len(splits) == 1:
        return f"all with the split “{SPLITS[splits[0]]}”"
    return _joined([f"“{SPLITS[w.protocol]}, {reading(w.k, w.liked, scale)}”" for w in lost.itertuples()])


def _parts(table: pd.DataFrame, reference: Way) -> tuple[pd.Series, pd.DataFrame]:
    is_reference = changed(table, reference) == "nothing"
    return table[is_reference].iloc[0], table[~is_reference]


def by_choice(table: pd.DataFrame, reference: Way = REFERENCE) -> pd.DataFrame:
    """What each choice does when it alone is changed.

    Returns choice, ways, moved (another highest mean), lost (the first place too), beyond (an order further from the
    reference's than chance explains), keeps_low and keeps_high (the least and most often that the winner leads),
    tau_low and tau_high (least and most agreement), winners (the other models).
    """
    own, rows = table[changed(table, reference) == "nothing"].iloc[0], []
    for choice in CHOICES:
        part = table[changed(table, reference) == choice]
        if len(part):
            moved = part["winner"] != own["winner"]
            rows.append({
                "choice": choice, "ways": len(part), "moved": int(moved.sum()),
                "lost": int(part["lost"].sum()), "beyond": int(part["beyond"].sum()),
                "keeps_low": part["keeps"].min(), "keeps_high": part["keeps"].max(), "tau_low": part["tau"].min(),
                "tau_high": part["tau"].max(), "winners": names(part.loc[moved, "winner"]) if moved.any() else "",
            })  # fmt: skip
    return pd.DataFrame(rows)


def choice_texts(choices: pd.DataFrame, winner: str) -> list[str]:
    """One sentence a choice, from :func:`by_choice`; the choice that costs the winner its place most often first."""
    label, rows = registry.entry(winner).label, choices.sort_values("keeps_low", kind="stable")
    return [_choice_text(row, label) for _, row in rows.iterrows()]


def _choice_text(row: pd.Series, label: str) -> str:
    n, moved = row["ways"], row["moved"]
    verb = "gives" if moved == 1 else "give"
    other = (f"{moved} of {n} other options {verb} the highest mean to {row['winners']}" if moved
             else f"none of {n} other options gives another model the highest mean")  # fmt: skip
    low, high = f"{row['keeps_low']:.0%}", f"{row['keeps_high']:.0%}"
    often = low if low == high else f"{low} to {high}"
    return f"Changing **{CHOICES[row['choice']]}** alone, {other}; {label} leads in {often} of the resamples."


def everywhere(ranked: pd.DataFrame, reference: Way = REFERENCE) -> str:
    """Which models stand in first place under every split, or which comes nearest, from :func:`sensitivity.orders`."""
    rows = ranked[(ranked["k"] == reference.k) & (ranked["liked"] == reference.liked)]
    worst = rows.groupby(MODEL)[["place", "rank"]].max()
    n, safe = rows["protocol"].nunique(), worst.index[worst["place"] == 1]
    if len(safe) == len(worst):
        return f"Nobody: all {len(worst)} models share first place under all {n} splits, so nothing tells them apart."
    if len(safe):
        best = worst.loc[safe].sort_values("rank", kind="stable").index
        verb = "stands" if len(safe) == 1 else "stand"
        said = f"**{names(best)}** {verb} in first place, alone or shared, under all {n} splits."
        return f"{said} {_single(rows, n)}" if set(safe) == {BLEND} else said
    least, place = worst.sort_values(["rank", "place"])[["rank", "place"]].iloc[0]
    nearest = worst.index[(worst["rank"] == least) & (worst["place"] == place)]
    comes = "comes" if len(nearest) == 1 else "come"
    return (f"No model stands in first place under all {n} splits; **{names(nearest)}** {comes} nearest, "
            f"with the {ordinal(int(least))} mean of {rows[MODEL].nunique()} at worst.")  # fmt: skip


def _single(rows: pd.DataFrame, n: int) -> str:
    """Of the models that are one, who is in first place under most splits: a blend is several to train and to keep."""
    held = (rows[rows[MODEL] != BLEND].set_index(MODEL)["place"] == 1).groupby(MODEL).sum()
    most = list(held.index[held == held.max()])
    verb = "comes nearest" if len(most) == 1 else "come nearest"
    return (
        f"It is several models to keep; of single ones {names(most)} {verb}, in first place under {held.max()} of {n}. "
        "Whether a blend is worth its keep is decided in notebook 10."
    )


def unheard(chosen: pd.DataFrame) -> str:
    """That the usual split's best model is over the budget, so that others are compared; empty where it is not."""
    best = chosen.sort_values("ndcg@10", ascending=False, kind="stable").iloc[0]
    if best["chosen"]:
        return ""
    first = chosen[chosen["chosen"]].sort_values("ndcg@10", ascending=False, kind="stable").iloc[0]
    ahead = chosen.loc[~chosen["chosen"] & (chosen["ndcg@10"] > first["ndcg@10"]), "label"]
    return (
        f"This is about models that train quickly. {_joined(list(ahead))}, ahead of all of them on the usual split, "
        f"{'is' if len(ahead) == 1 else 'are'} too slow to be measured in every way; notebook 10 takes such a leader "
        "through one cut in time."
    )


def one_list(ranked: pd.DataFrame, reference: Way = REFERENCE) -> str:
    """Under which splits a list that knows no tastes can't be told from the best."""
    rows = ranked[(ranked["k"] == reference.k) & (ranked["liked"] == reference.liked)]
    level = rows[(rows["family"] == BLIND) & (rows["place"] == 1)]
    if level.empty:
        return (
            "Under no split does a list that knows no tastes stand in first place: personal lists pay in all of them."
        )
    where = _joined([SPLITS[name].lower() for name in level["protocol"].unique()])
    return (
        f"A list that knows no tastes ({names(level[MODEL])}) stands in first place, alone or shared, under: {where}."
    )


def without_future(ranked: pd.DataFrame, leaks: pd.DataFrame, reference: Way = REFERENCE) -> str:
    """Which splits let no model learn from later ratings, and who is first there: what a service would meet."""
    if leaks["any_future"].isna().all():
        return "The ratings carry one time, so which split is free of later ratings can't be told."
    free = leaks.loc[leaks["any_future"] == 0, "protocol"]
    rows = ranked[(ranked["k"] == reference.k) & (ranked["liked"] == reference.liked) & ranked["protocol"].isin(free)]
    if rows.empty:
        return (
            "Under every split measured here models learn from ratings later than the test: none is what T would meet."
        )
    split = rows["protocol"].iloc[0]
    first = rows.loc[(rows["protocol"] == split) & (rows["place"] == 1), MODEL]
    n = rows[MODEL].nunique()
    verb = "is alone in first place" if len(first) == 1 else f"share first place ({len(first)} of {n} models)"
    hides = f"**{SPLITS[split]}** hides later ratings from the models, as life does"
    return f"{hides}; there {names(first)} {verb}."


def inflation(ranked: pd.DataFrame, reference: Way = REFERENCE) -> str:
    """What a random split of the same sizes does to the numbers: the least and the largest ratio of a model."""
    rows = ranked[(ranked["k"] == reference.k) & (ranked["liked"] == reference.liked)]
    means = rows.pivot(index=MODEL, columns="protocol", values="mean")
    means = means.reindex(columns=[*dict.fromkeys((*means, RANDOM, reference.protocol))])
    ratio = (means[RANDOM] / means[reference.protocol].where(means[reference.protocol] > 0)).dropna().sort_values()
    if ratio.empty:
        return "No model found anything under both the usual and a random split, so what the lot adds can't be told."
    low, high = ratio.iloc[0], ratio.iloc[-1]
    word = "raises every number" if low > 1 else "lowers every number" if high < 1 else "moves numbers both ways"
    return (f"Drawing as many test ratings by lot {word}: between {low:.2f} times ({names(ratio.index[:1])}) "
            f"and {high:.2f} times ({names(ratio.index[-1:])}) the usual NDCG@{reference.k}.")  # fmt: skip


def sampling(
    table: pd.DataFrame, ranked: pd.DataFrame, negatives: int, candidates: float, reference: tuple[str, int]
) -> str:
    """What ranking among ``negatives`` films drawn by lot, of ``candidates``, makes of the same scores.

    table, ranked: of :func:`sensitivity.compare` and ``orders`` for ``sampled.ndcg``; ``reference`` is the way with all
    films.
    """
    _, k = reference
    if negatives >= candidates - 1:
        all_ = f"With {candidates:,.0f} films in all, a draw of {negatives:,.0f} leaves none out"
        return f"{all_}: sampling changes nothing."
    full, drawn = (rows.iloc[0] for _, rows in table[table["k"] == k].groupby("candidates", sort=False))
    means = ranked[ranked["k"] == k].pivot(index=MODEL, columns="candidates", values="mean")
    ratio = (means[drawn["candidates"]] / means[full["candidates"]].where(means[full["candidates"]] > 0)).dropna()
    size = f"{ratio.min():.1f} to {ratio.max():.1f} times as high" if len(ratio) else "which all films leave at zero"
    more = "more" if drawn["beyond"] else "no more"
    order = (f"the order changes (τ = {drawn['tau']:.2f}, {more} than chance explains)" if drawn["tau"] < 1
             else "the order stays")  # fmt: skip
    own, other = names([full["winner"]]), names([drawn["winner"]])
    who = f"{own} stays first" if own == other else f"{other} takes the first rank from {own}"
    return (f"Ranked among {negatives:,.0f} films drawn by lot instead of {candidates:,.0f}, the same scores give an "
            f"NDCG@{k} {size}; {order}, and {who}.")  # fmt: skip
