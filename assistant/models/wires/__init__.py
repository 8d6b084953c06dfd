"""The protocols, one module each: `call` and `Reader`."""
