"""Where an execution's evaluation, and the validation of its data, lie: files of outputs of steps."""

STEP, OUTPUT = "Evaluate", "evaluation"
REPORT_PATH = "evaluation.json"
CARD_PATH = "model_card.json"
VALIDATION_STEP, VALIDATION_OUTPUT, VALIDATION_PATH = "ValidateData", "report", "validation.json"
RESERVE_OUTPUT = "reserve"  # of Preprocess, and the version's property that says where it lies
RESERVE_SUMMARY = "reserve_summary"  # the version's property that says in a sentence what a promotion found there
PREPROCESS_STEP, TEST_OUTPUT, TEST_PATH = "Preprocess", "test", "test.parquet"
