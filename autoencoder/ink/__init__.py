"""From pen strokes, or from a picture's file, to a digit as MNIST has them."""
