"""Objects of S3 as a person can look at them."""
