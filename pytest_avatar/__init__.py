"""Pytest fixtures for Kaltura avatar sessions that always end, replay offline and never leak."""
