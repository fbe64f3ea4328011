"""A small process that outlives the test run, only to end what it left open."""
