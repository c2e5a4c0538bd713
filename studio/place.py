"""Where a studio is found."""

HOST, PORT = "127.0.0.1", 5600
WHO = "/_studio"  # says whose pages these are, and which process serves them
