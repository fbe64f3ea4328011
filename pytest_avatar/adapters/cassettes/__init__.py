"""Cassettes: the tapes that record, replay and verify, and their files.

A run imports the kind of tape that it uses, so nothing is imported here.
"""
