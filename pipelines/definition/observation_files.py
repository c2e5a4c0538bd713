"""Where an execution's observation lies: files of the output of a step."""

STEP, OUTPUT = "Observe", "observation"
ACT = "Act"  # the step whose output parameters say what was done
DECISION_PATH = "decision.json"
SIMULATION = "simulation"  # the stage of `monitor --simulate`
