"""The rules of the product: no pytest, no vcrpy, no sockets, no third-party library."""
