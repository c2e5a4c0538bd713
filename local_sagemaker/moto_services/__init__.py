"""What moto answers: S3 and the small services. No other folder imports moto."""
