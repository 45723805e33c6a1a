"""Digit look-alike search: reverse image search on MNIST by autoencoder."""
