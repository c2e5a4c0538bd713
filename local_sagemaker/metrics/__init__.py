"""Metrics as CloudWatch has them: kept, aggregated and judged by alarms. Knows neither SageMaker nor moto."""
