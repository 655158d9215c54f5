"""Tells people: sends a text to the addresses that a migration names."""

from datamig_pipelines.alerts.sending import send

__all__ = ["send"]
