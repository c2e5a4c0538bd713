"""Where an execution's observation lies: files of the output of a step."""

STEP, OUTPUT = "Observe", "observation"
DECISION_PATH = "decision.json"
SIMULATION = "simulation"  # the stage of `monitor --simulate`
