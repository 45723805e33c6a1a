"""From MNIST to the artifacts: train, encode, measure."""
