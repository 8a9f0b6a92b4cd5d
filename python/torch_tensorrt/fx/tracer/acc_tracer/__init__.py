"""Symbolic tracing."""
