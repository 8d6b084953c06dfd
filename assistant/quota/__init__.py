"""COUNT: what is burnt, what is left, when it returns."""
