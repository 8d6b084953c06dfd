"""SEE: what the model is shown, and why."""
