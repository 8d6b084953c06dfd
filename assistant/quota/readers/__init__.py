"""What providers say of their quotas, one pure module for each source."""
