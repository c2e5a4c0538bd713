"""What runs inside the monitoring job: files in, a decision with its reasons and a report out."""
