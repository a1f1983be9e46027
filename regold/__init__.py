"""Regold turns noisy fine-tuning data into gold."""

__version__ = "0.1.0"
