"""How fast it is, and how large a gallery can be."""
