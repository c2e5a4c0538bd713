"""The XGBoost image without a script: SageMaker's built-in algorithm, trained and served."""
