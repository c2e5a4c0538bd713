"""From the settings to a definition, and the code that its jobs run."""
