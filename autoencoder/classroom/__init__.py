"""A class that draws: what it sends is kept, shown to all, and learned from."""
