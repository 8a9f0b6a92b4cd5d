"""Tracing of aten operators."""
