"""One module for each other client whose local logs are readable; see `assistant.quota.imports` for its interface."""
