"""What Lambda runs, here in a process of its own: each file stands alone, on boto3 and the standard library."""
