"""A definition as a graph, laid out on the server."""
