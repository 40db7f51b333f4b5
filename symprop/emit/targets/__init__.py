"""Targets: what a Program is written down in."""
