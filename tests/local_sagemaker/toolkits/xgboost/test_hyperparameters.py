"""The algorithm's hyperparameters: types, limits, and what excludes what."""

import pytest

from local_sagemaker.toolkits.xgboost.errors import UserError
from local_sagemaker.toolkits.xgboost.hyperparameters import checked


def test_values_are_typed_and_aliases_are_known() -> None:
    found = checked(
        {"num_round": "5", "learning_rate": "0.2", "reg_lambda": "1", "eval_metric": "rmse,mae", "max_depth": "4"}
        | {"tree_method": "hist", "monotone_constraints": "(1,-1)", "objective": "reg:squarederror"}
    )
    assert found["eta"] == 0.2
    assert found["lambda"] == 1.0
    assert (found["num_round"], found["max_depth"]) == (5, 4)
    assert found["eval_metric"] == ["rmse", "mae"]
    assert found["monotone_constraints"] == (1, -1)


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("num_round", "1", True),
        ("num_round", "0", False),
        ("eta", "0", True),
        ("eta", "1", True),
        ("eta", "1.01", False),
        ("subsample", "0", False),
        ("subsample", "1", True),
        ("sketch_eps", "1", False),
        ("tweedie_variance_power", "2", False),
        ("tweedie_variance_power", "1.5", True),
        ("max_depth", "4.5", False),
        ("max_depth", "six", False),
        ("csv_weights", "2", False),
        ("booster", "gbforest", False),
        ("objective", "reg:squarederror", True),
        ("objective", "reg:squared", False),
        ("eval_metric", "error@0.7", True),
        ("eval_metric", "rmse@0.7", False),
        ("eval_metric", "error@high", False),
        ("_tuning_objective_metric", "validation:rmse", True),
        ("_tuning_objective_metric", "rmse", False),
        ("interaction_constraints", "[[1", False),
    ],
)
def test_the_limits_are_the_image_s(name: str, value: str, right: bool) -> None:
    given = {"num_round": "1", name: value}
    if right:
        assert name in checked(given)
    else:
        with pytest.raises(UserError, match=f"Hyperparameter {name}: "):
            checked(given)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, "Missing required hyperparameter: num_round"),
        ({"num_rounds": "1"}, "Missing required"),
        ({"num_round": "1", "max_dept": "3"}, "Extraneous hyperparameter found: max_dept; did you mean max_depth"),
        ({"num_round": "1", "objective": "multi:softmax"}, "num_class"),
        ({"num_round": "1", "eval_metric": "auc", "objective": "reg:squarederror"}, "'auc'"),
        ({"num_round": "1", "monotone_constraints": "(1,)"}, "monotone_constraints can be used only"),
        ({"num_round": "1", "tree_method": "gpu_hist"}, "has no GPU"),
    ],
)
def test_a_fault_is_named(given: dict[str, str], reason: str) -> None:
    with pytest.raises(UserError, match=reason):
        checked(given)
