"""Wattson: a pair programmer for the terminal that watches the meter."""

__version__ = "0.1.0"
