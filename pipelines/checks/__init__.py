"""What can be known to be wrong with a definition before anything is published: without a network, all at once."""
