"""Tracing under the names that scripts for the FX frontend import."""
