"""The commands of the shell, one module each: `arguments` and `run`."""
