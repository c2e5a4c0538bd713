"""SageMaker's XGBoost images: what each holds, and the wheels of what it lacks."""
