import numpy as np
import pandas as pd
import pytest
from exploration_cases import movies, table
from scipy import sparse

from aicine_utils import columns as c
from aicine_utils.exploration import reduction
from aicine_utils.findings.verdicts import case_of

N_USERS, N_FILMS = 60, 40


def ratings_of(stars):
    """Every user rates four films in five, with these stars [n_users, n_films]."""
    rng = np.random.default_rng(1)
    user, movie = np.nonzero(rng.random(stars.shape) < 0.8)
    return table(np.column_stack([user + 1, movie + 1, stars[user, movie], np.zeros(len(user))]).tolist())


def tastes():
    """Two kinds of people who like opposite halves of the films, and noise."""
    rng = np.random.default_rng(0)
    sides = np.outer(rng.choice([-1, 1], N_USERS), np.repeat([-1, 1], N_FILMS // 2))
    return 3 + sides + 0.3 * rng.normal(size=sides.shape)


def noise():
    return 3 + np.random.default_rng(2).normal(size=(N_USERS, N_FILMS))


def test_centring_takes_out_the_row_and_then_the_column():
    found = reduction.centred(sparse.csr_matrix([[4.0, 2.0], [5.0, 5.0]])).toarray()
    np.testing.assert_allclose(found, [[0.5, -0.5], [-0.5, 0.5]])


def test_centring_leaves_what_nobody_rated_alone():
    stars = sparse.csr_matrix(([4.0, 2.0, 5.0], ([0, 0, 1], [0, 1, 1])), (2, 3))
    found = reduction.centred(stars).toarray()
    np.testing.assert_allclose(found, [[0, -0.5, 0], [0, 0.5, 0]])


def test_dealing_keeps_each_persons_stars_and_films():
    rng = np.random.default_rng(0)
    stars = sparse.csr_matrix([[1.0, 2, 3, 4, 5, 0], [5, 0, 4, 3, 2, 1]])
    dealt = reduction.dealt(stars, rng)
    assert not np.array_equal(dealt.toarray(), stars.toarray())
    assert np.array_equal(dealt.toarray() > 0, stars.toarray() > 0)
    assert np.array_equal(np.sort(dealt.toarray()), np.sort(stars.toarray()))


def test_directions_come_longest_first():
    matrix = sparse.csr_matrix(np.diag([1.0, 5.0, 3.0, 2.0]))
    found = np.abs(reduction.directions(matrix, 2))
    np.testing.assert_allclose(found, [[0, 1, 0, 0], [0, 0, 1, 0]], atol=1e-9)


def test_one_taste_needs_one_direction():
    found = reduction.held(ratings_of(tastes()), k=3)
    share = reduction.variance_curve(found).query("kind == 'stars as given'")["share"].to_numpy()
    assert share[0] > 0.6
    assert share[2] - share[0] < 0.1
    gain = reduction.variance_gain(found, 200)
    assert gain.low > 0.5
    assert gain.low < gain.value < gain.high


def test_noise_has_no_directions_that_hold_for_others():
    gain = reduction.variance_gain(reduction.held(ratings_of(noise()), k=3), 200)
    assert gain.low < 0.01
    assert abs(gain.value) < 0.02


def test_directions_are_not_found_in_the_people_they_are_measured_on():
    """Within the half that they were found in, directions of noise would hold far more than in the other."""
    found = reduction.held(ratings_of(noise()), k=10)
    half = reduction.centred(reduction._matrix(ratings_of(noise()))[: N_USERS // 2])
    inside = np.square(half @ reduction.directions(half, 10).T).sum() / np.square(half.data).sum()
    assert inside > 0.6 > 1.5 * found.own[:, -1].sum() / found.total.sum()


def test_too_few_people_or_stars_all_alike_give_nothing():
    assert reduction.held(ratings_of(tastes()[:18])) is None
    assert reduction.held(ratings_of(np.full((N_USERS, N_FILMS), 4.0))) is None
    assert np.isnan(reduction.variance_gain(None).low)


def test_likeness_of_two_films():
    genres = np.array([[1, 1, 0], [0, 1, 1], [1, 1, 0]], bool)
    np.testing.assert_allclose(reduction.likeness(genres), [[1, 1 / 3, 1], [1 / 3, 1, 1 / 3], [1, 1 / 3, 1]])


def test_nearest_is_by_angle_and_in_a_picture_by_distance():
    assert reduction.nearest(np.array([[1.0, 0, 0], [9, 1, 0], [0, 1, 0]]), 1)[0].tolist() == [1]
    assert reduction.nearest(np.array([[1.0, 0], [9, 1], [0, 1]]), 1)[0].tolist() == [2]


def spaces(n=120):
    """Films of four genres, vectors that say which, and vectors that say nothing."""
    rng = np.random.default_rng(0)
    kind = np.arange(n) % 4
    catalogue = movies([[("Drama", "Comedy", "Horror", "War")[k]] for k in kind])
    index = pd.Index(range(1, n + 1), name=c.MOVIE)
    views = pd.Series(rng.integers(20, 500, n), index)
    telling = pd.DataFrame(np.eye(4)[kind] + 0.1 * rng.normal(size=(n, 4)), index)
    return catalogue, views, telling, pd.DataFrame(rng.normal(size=(n, 4)), index)


def test_neighbours_that_share_genres_are_told_from_chance():
    catalogue, views, telling, _ = spaces()
    found = reduction.genre_grouping(telling, catalogue, views, permutations=100)
    assert found.neighbours == pytest.approx(1.0)
    assert found.chance == pytest.approx(0.25, abs=0.03)
    assert (found.films, found.gain.p) == (120, 1 / 101)
    assert case_of(*found.gain.__dict__.values(), smallest=0.01) == "upheld"


def test_neighbours_at_random_are_chance():
    catalogue, views, _, silent = spaces()
    found = reduction.genre_grouping(silent, catalogue, views, permutations=100)
    assert found.gain.p > 0.05
    assert case_of(*found.gain.__dict__.values()) == "chance"


def test_neighbours_that_share_only_how_well_known_they_are_are_chance():
    """Dramas are well known, comedies are not, and the space knows nothing else."""
    rng = np.random.default_rng(0)
    index = pd.Index(range(1, 201), name=c.MOVIE)
    views = pd.Series(np.arange(20, 220), index)
    catalogue = movies([["Comedy"]] * 100 + [["Drama"]] * 100)
    space = pd.DataFrame({"known": views / 10, "noise": rng.normal(size=200) * 0.1})
    found = reduction.genre_grouping(space, catalogue, views, permutations=100)
    assert found.neighbours > 0.9
    assert abs(found.gain.value) < 0.05


def test_without_genres_or_well_known_films_there_is_no_grouping():
    catalogue, views, telling, _ = spaces()
    assert np.isnan(reduction.genre_grouping(telling, catalogue, views // 1000).gain.low)
    assert np.isnan(reduction.genre_grouping(telling, movies([[]] * 120), views).gain.low)
    assert reduction.picture(telling.iloc[:, :2], movies([[]] * 120), views).empty


def test_a_picture_shows_the_commonest_genres_alone():
    catalogue, views, telling, _ = spaces()
    plane = reduction.projected(telling)
    assert plane.shape == (120, 2)
    shown = reduction.picture(plane, catalogue, views, n=2)
    assert shown.groupby("genre").size().tolist() == [30, 30]
    assert list(shown.columns) == [c.MOVIE, "x", "y", "genre"]


def test_projection_keeps_the_widest_direction():
    vectors = pd.DataFrame([[0.0, 1, 9], [0, -1, -9], [0.1, 0, 0]])
    np.testing.assert_allclose(np.abs(reduction.projected(vectors, 1)[0][:2]), np.sqrt(82), rtol=1e-2)


def test_film_vectors_of_two_halves_point_apart():
    vectors = reduction.film_vectors(ratings_of(tastes()), k=2)
    assert list(vectors.index) == list(range(1, N_FILMS + 1))
    sides = np.sign(vectors[0].to_numpy())
    assert abs(sides[: N_FILMS // 2].sum()) == N_FILMS // 2
    assert (sides[: N_FILMS // 2] == -sides[N_FILMS // 2 :]).all()
    flat = reduction.film_vectors(ratings_of(np.full((N_USERS, N_FILMS), 4.0)))
    assert flat.empty
    assert reduction.projected(flat).empty
