"""The side of the user: starting and stopping the server, running a definition."""
