"""One module for each other client whose local logs can be read; see `assistant.quota.imports` for what it offers."""
