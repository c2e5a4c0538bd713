"""Where an execution's evaluation, and the validation of its data, lie: files of outputs of steps."""

STEP, OUTPUT = "Evaluate", "evaluation"
REPORT_PATH = "evaluation.json"
CARD_PATH = "model_card.json"
VALIDATION_STEP, VALIDATION_OUTPUT, VALIDATION_PATH = "ValidateData", "report", "validation.json"
PREPROCESS_STEP, TEST_OUTPUT, TEST_PATH = "Preprocess", "test", "test.parquet"
