"""The cores of the machine, shared by the jobs of every execution."""

import threading

# The steps whose work is processes on this machine; the others wait for something else, and take no core.
LOCAL_JOBS = ("Processing", "Training", "Transform", "Tuning")


class Capacity:
    """One slot for each core. `changed` guards the slots, and is notified when a step of any execution has ended."""

    def __init__(self, cores: int) -> None:
        self.changed = threading.Condition()
        self._free = cores

    def take(self, step_type: str) -> bool:
        """Take a slot if the type of step needs one; False where none is free. Call it with `changed` held."""
        if step_type not in LOCAL_JOBS:
            return True
        if self._free == 0:
            return False
        self._free -= 1
        return True

    def give_back(self, step_type: str) -> None:
        """Return what take() took, and wake whoever waits."""
        with self.changed:
            self._free += step_type in LOCAL_JOBS
            self.changed.notify_all()
