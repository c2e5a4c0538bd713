"""How fast time passes: with a scale of 60, a wait of an hour takes a minute. Requests stay the same."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Clock:
    """Turns the seconds of requests (waits, periods of alarms) into seconds of this machine."""

    scale: float = 1.0

    def seconds(self, asked: float) -> float:
        """How long a wait of `asked` seconds takes here."""
        return asked / self.scale
