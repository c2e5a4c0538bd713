"""What one real run on AWS shows, redacted, and the table of docs/aws.md that reads it."""
