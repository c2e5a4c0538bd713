"""What a learner is told."""


class LessonError(Exception):
    """Something that the learner can put right; the message is one sentence."""
