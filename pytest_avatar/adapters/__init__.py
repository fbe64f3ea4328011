"""Adapters: each module knows one outside thing and translates it for the core."""
