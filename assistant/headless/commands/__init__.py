"""The commands of the shell, one module each, with `arguments` and `run`."""
