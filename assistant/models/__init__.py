"""TALK: which model, how to reach it, what it said."""
