"""Values of parameters: told from their defaults, refused before anything runs."""

import math

import pytest

from aicine_utils import parameters
from aicine_utils.errors import AicineError
from aicine_utils.models import registry


@pytest.mark.parametrize(
    ("name", "value", "default", "message"),
    [
        ("n_epochs", -3, 20, "-3 is not a whole number of at least 1. Give for example 20"),
        ("n_factors", 0, 100, "0 is not a whole number of at least 1"),
        ("n_factors", 2.5, 100, "2.5 is not a whole number"),
        ("lr_all", "banana", 0.005, "banana is not a number above 0"),
        ("lr_all", 0, 0.005, "0 is not a number above 0"),
        ("liked", 1.5, 0.0, "1.5 is not a number of at least 0 and at most 1"),
        ("dropout", 1.0, 0.5, "at least 0 and below 1"),
        ("regularisation", math.nan, 0.1, "nan is not a number"),
        ("centred", 1, True, "1 is not true or false"),
        ("loss", 3, "warp", "3 is not a text"),
    ],
)
def test_wrong_values_name_rule_and_default(name, value, default, message):
    with pytest.raises(AicineError) as error:
        parameters.check("model x", name, value, default)
    assert f"Parameter {name} of model x" in str(error.value)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("name", "value", "default"),
    [("n_epochs", 1, 20), ("lr_all", 1, 0.005), ("liked", 0, 0.75), ("threads", 0, 1), ("k", 5, None), ("seed", 0, 0)],
)
def test_right_values_pass(name, value, default):
    parameters.check("model x", name, value, default)


def test_values_are_read_as_people_write_them():
    assert [parameters.read(text) for text in ("5", "true", "1e-5", "0.1", "warp")] == [5, True, 1e-5, 0.1, "warp"]
    with pytest.raises(AicineError, match="can't be read"):
        parameters.read("{")


@pytest.mark.parametrize("name", registry.names())
@pytest.mark.parametrize("protocol", ["user_temporal", "global_temporal"])
def test_committed_settings_are_right(name, protocol):
    model = registry.create(name, "ml-100k", protocol=protocol)
    assert set(model.params) == set(model.defaults)


@pytest.mark.parametrize(
    ("name", "wrong"), [("svd", {"n_epochs": -3}), ("ials", {"factors": -3}), ("ease", {"regularisation": 0.0})]
)
def test_a_model_refuses_what_it_can_not_work_with(name, wrong):
    with pytest.raises(AicineError, match="Give for example"):
        registry.create(name, "mock", **wrong)


def test_a_title_with_a_colon_is_a_text():
    from aicine_utils.pipeline import plan

    assert plan.parse_parameter("history=Mission: Impossible") == ("history", "Mission: Impossible")
    assert plan.parse_parameter("user=5") == ("user", 5)
