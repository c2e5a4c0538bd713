"""Jobs, tuning jobs and callbacks: their records, and the threads that run them."""
