"""What a person sets: the YAML and the environment."""
