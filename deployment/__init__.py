"""An approved model package becomes an endpoint, and back."""
