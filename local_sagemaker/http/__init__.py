"""The server: connections, requests by service, answers."""
