"""The cores of the machine, shared by the jobs of every execution."""

import threading

# The steps whose work is processes on this machine; the others wait for something else, and take no core.
LOCAL_JOBS = ("Processing", "Training", "Transform", "Tuning")


class Capacity:
    """One slot for each core. `changed` guards the slots, and is notified when a step of any execution has ended."""

    def __init__(self, cores: int) -> None:
        self.changed = threading.Condition()
        self._free = cores

    def has_room(self, step_type: str) -> bool:
        """Whether there is a slot for a step of this type, if it needs one. Call it with `changed` held."""
        return step_type not in LOCAL_JOBS or self._free > 0

    def take(self, step_type: str) -> None:
        """Take a slot, if the type needs one: also the last and one more, for a step that is about to stop."""
        self._free -= step_type in LOCAL_JOBS

    def give_back(self, step_type: str) -> None:
        """Return what take() took, and wake whoever waits."""
        with self.changed:
            self._free += step_type in LOCAL_JOBS
            self.changed.notify_all()
