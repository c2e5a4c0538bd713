"""Golden rows tell whether what answers is the model that was evaluated."""

import json

import pytest

from deployment.golden import ENOUGH, GoldenCheck, GoldenRows

ROWS = GoldenRows("new", ({"x": 1}, {"x": 2}), (10.0, 20.0), ({},))


def answer(score: float, model: str = "new") -> tuple[int, str]:
    return 200, json.dumps({"predictions": [{"score": score}], "model": model})


class Endpoint:
    """Answers x * 10 by the model of a name, with a fault if one is given."""

    def __init__(self, models: str = "new", factor: float = 10.0, refusal: int = 400) -> None:
        self.models, self.factor, self.refusal = models, factor, refusal
        self.asked = 0

    def __call__(self, body: bytes) -> tuple[int, str]:
        [row] = json.loads(body)["instances"]
        if "x" not in row:
            return self.refusal, "no x"
        self.asked += 1
        return answer(row["x"] * self.factor, self.models)


def run(endpoint: Endpoint, alone: bool = True, times: int = 20) -> GoldenCheck:
    check = GoldenCheck(ROWS, endpoint)
    for _ in range(times):
        check.send(alone)
    return check


def test_enough_answers_of_the_new_model_are_enough() -> None:
    endpoint = Endpoint()
    check = run(endpoint)
    assert (check.fault, check.answered, check.done) == (None, ENOUGH, True)
    assert endpoint.asked == ENOUGH


def test_answers_of_the_old_model_do_not_count_while_it_serves_too() -> None:
    check = run(Endpoint("old", factor=3.0), alone=False)
    assert (check.fault, check.answered, check.done) == (None, 0, False)
    assert run(Endpoint("old")).fault == "Golden row 1 was answered by another model, old."


@pytest.mark.parametrize(("factor", "fails"), [(10.0 * (1 + 9e-7), False), (10.0 * (1 + 1.2e-6), True)])
def test_a_prediction_may_differ_by_a_millionth(factor: float, fails: bool) -> None:
    assert (run(Endpoint(factor=factor)).fault is not None) is fails


@pytest.mark.parametrize(("refusal", "fails"), [(399, True), (400, False), (499, False), (500, True), (200, True)])
def test_a_faulty_request_must_be_refused_with_4xx(refusal: int, fails: bool) -> None:
    assert (run(Endpoint(refusal=refusal)).fault is not None) is fails


def test_an_error_counts_only_where_one_model_answers() -> None:
    def broken(body: bytes) -> tuple[int, str]:
        return 500, "broken"

    check = GoldenCheck(ROWS, broken)
    check.send(alone=False)
    assert check.fault is None
    check.send(alone=True)
    assert check.fault is not None
    assert "status 500: broken" in check.fault


def test_what_is_no_prediction_is_a_fault() -> None:
    for text in ("", "[]", "{}", '{"predictions": []}', '{"predictions": [{"score": "high"}]}'):
        check = GoldenCheck(ROWS, lambda body, text=text: (200, text))  # type: ignore[misc]
        check.send(alone=True)
        assert check.fault is not None, text


def test_a_file_that_is_not_of_the_layout_is_refused() -> None:
    kept = {"model": "m", "instances": [{"x": 1}], "predictions": [1], "faulty": [{}]}
    assert GoldenRows.from_json(json.dumps(kept)).faulty == ({},)
    for text in ("{}", "[]", json.dumps({**kept, "predictions": []}), json.dumps({**kept, "instances": []}), "nothing"):
        with pytest.raises(ValueError, match=r"golden\.json|Expecting"):
            GoldenRows.from_json(text)


@pytest.mark.parametrize(("refusal", "fails"), [(400, False), (500, True)])
def test_faulty_requests_are_sent_although_the_golden_rows_were_answered_before(refusal: int, fails: bool) -> None:
    """A canary answers golden rows while the old version does, too, which a refusal does not tell apart."""
    check = GoldenCheck(ROWS, Endpoint(refusal=refusal))
    for _ in range(2 * ENOUGH):
        check.send(alone=False)
    assert (check.answered, check.done) == (ENOUGH, False)
    check.send(alone=True)
    assert check.done
    assert (check.fault is not None) is fails


def test_what_was_asked_of_the_new_model_is_no_request_of_a_client() -> None:
    assert run(Endpoint()).asked == ENOUGH + len(ROWS.faulty)
    assert run(Endpoint("old"), alone=False).asked == 0
    mixed = run(Endpoint(), alone=False)
    assert mixed.asked == ENOUGH
    mixed.send_again()
    assert mixed.asked == ENOUGH + 1
