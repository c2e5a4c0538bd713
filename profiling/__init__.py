"""What a data file looks like: the first version of its YAML, and its faults before anything is uploaded."""
