"""IAM: what a policy allows, what a call needs, and who needs it. Pure, but for the record of calls."""
