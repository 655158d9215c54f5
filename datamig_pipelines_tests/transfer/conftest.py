"""Hypothesis without a stopwatch: machines that run tests are busy."""

from hypothesis import settings

settings.register_profile("datamig", deadline=None)
settings.load_profile("datamig")
