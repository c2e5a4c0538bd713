"""Where an execution's evaluation lies: a file of an output of a step."""

STEP, OUTPUT = "Evaluate", "evaluation"
REPORT_PATH = "evaluation.json"
CARD_PATH = "model_card.json"
