"""Computed tags: made from other tags by an expression, a median, a vote or a window of time."""
