"""What a user registers for the steps and images that this machine has nothing of its own for."""
