"""Golden rows: requests whose answers by the new model are known, sent to the endpoint while it takes over."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

RELATIVE = 1e-6
ENOUGH = 5  # answers of the new model, after which no more are sent
Ask = Callable[[bytes], tuple[int, str]]  # from a JSON body to status and text of the answer


@dataclass(frozen=True)
class GoldenRows:
    """As evaluation/golden.py writes them: the model's identity, rows, its predictions, and faulty rows."""

    model: str
    instances: tuple[Mapping[str, Any], ...]
    predictions: tuple[float, ...]
    faulty: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def from_json(cls, text: bytes | str) -> "GoldenRows":
        """Read golden.json; ValueError where it is not of its layout."""
        document = json.loads(text)
        try:
            rows, predictions = tuple(document["instances"]), tuple(map(float, document["predictions"]))
            golden = cls(document["model"], rows, predictions, tuple(document.get("faulty", [])))
        except (KeyError, TypeError) as error:
            raise ValueError(f"golden.json does not have the expected layout: {error}.") from None
        if not rows or len(rows) != len(predictions):
            raise ValueError("golden.json has no rows, or not as many predictions as rows.")
        return golden


class GoldenCheck:
    """Sends one row after another until the new model has answered ENOUGH of them, or `fault` says what is wrong."""

    def __init__(self, golden: GoldenRows, ask: Ask) -> None:
        self.answered = 0  # by the new model
        self.asked = 0  # of the new model for certain: what is not to be counted as a client's request
        self.fault: str | None = None
        self._golden = golden
        self._ask = ask
        self._sent = 0
        self._faulty = 0

    @property
    def model(self) -> str:
        """The identity of the new model."""
        return self._golden.model

    @property
    def done(self) -> bool:
        """Whether nothing more is to be sent."""
        return self.fault is not None or (self._answered_enough and self._faulty >= len(self._golden.faulty))

    def send(self, alone: bool) -> None:
        """Send the next row, and a faulty one; `alone` says that no other version may have answered.

        A refusal does not say which model it comes from, so faulty ones are sent only where there is just one.
        """
        if self.done:
            return
        if not self._answered_enough:
            self._send(alone)
        if alone and self.fault is None and self._faulty < len(self._golden.faulty):
            self._send_faulty()

    @property
    def _answered_enough(self) -> bool:
        return self.answered >= ENOUGH

    def send_again(self) -> None:
        """Send one row more to a model that has answered enough, which must answer it as the ones before."""
        if self.fault is None:
            self._send(alone=True)

    def _send(self, alone: bool) -> None:
        number = self._sent % len(self._golden.instances)
        self._sent += 1
        status, text = self._ask(_body(self._golden.instances[number]))
        self.asked += alone
        self._compare(number, status, text, alone)

    def _send_faulty(self) -> None:
        status, text = self._ask(_body(self._golden.faulty[self._faulty]))
        self._faulty += 1
        self.asked += 1
        if not 400 <= status < 500:
            self.fault = f"A faulty request was answered with status {status}, not refused with 4xx: {text[:200]}"

    def _compare(self, number: int, status: int, text: str, alone: bool) -> None:
        if status >= 400 and not alone:
            return
        if status >= 400:
            self.fault = f"Golden row {number + 1} was answered with status {status}: {text[:200]}"
            return
        try:
            answer = json.loads(text)
            model, score = answer.get("model"), float(answer["predictions"][0]["score"])
        except (ValueError, KeyError, TypeError, IndexError, AttributeError):
            self.fault = f"Golden row {number + 1} was answered without a prediction: {text[:200]}"
            return
        if model != self._golden.model:
            if alone:
                self.fault = f"Golden row {number + 1} was answered by another model, {model}."
            return  # else the old version has answered, which still gets its share
        self.answered += 1
        self.asked += not alone
        expected = self._golden.predictions[number]
        if not math.isclose(score, expected, rel_tol=RELATIVE):
            self.fault = (
                f"Golden row {number + 1}: the model {model} answered {score:g} and had predicted {expected:g} "
                "when it was evaluated."
            )


def _body(instance: Mapping[str, Any]) -> bytes:
    return json.dumps({"instances": [instance]}).encode()
