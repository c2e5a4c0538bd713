"""What outlives the server: one SQLite file of a format of its own, and the folder around it."""
