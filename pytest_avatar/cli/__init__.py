"""The console command `pytest-avatar`."""
