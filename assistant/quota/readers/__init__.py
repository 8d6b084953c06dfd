"""Readers of providers' quotas, one pure module for each source."""
