"""What each page shows, read from the account."""
