"""A stand-in for the avatar service, on a loopback port."""
