"""From a question to its answer: digit, latent, nearest neighbors, verdict."""
