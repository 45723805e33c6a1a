"""The technical words of the pages, each explained once."""

GLOSSARY = {
    "autoencoder": "Two networks in a row. The encoder squeezes a picture into 32 numbers, and the decoder draws the "
    "picture again from these. Nobody tells them what the picture shows.",
    "latent": "The 32 numbers that the encoder makes of a picture. Pictures with nearby numbers look alike.",
    "gallery": "All the digits that are searched.",
    "query": "The digit that you ask about: your drawing, your picture, or a digit of the gallery.",
    "neighbor": "A digit of the gallery whose 32 numbers are near those of the query.",
    "distance": "How far apart the 32 numbers of two digits are: the square root of the sum of their squared "
    "differences. 0 means the same numbers.",
    "reconstruction": "The picture that the decoder draws from the 32 numbers alone.",
    "redrawing error": "How far the reconstruction is from the picture: the mean squared error. That is the mean, over "
    "all pixels, of the squared difference. 0 means that they are equal.",
    "PCA": "Principal component analysis: the best way to squeeze pictures into a few numbers by adding and "
    "multiplying alone.",
    "pixels": "The picture as it is: 28 × 28 = 784 numbers, one for the ink at each place.",
    "look": "How much the pixels of the four look-alikes differ from those of the query. 0 means the same picture.",
    "kind and pose": "24 of the 32 numbers differ most from one kind of digit to another: they tell the kind. The "
    "other 8 tell more of the pose, which is how a digit stands. Digits new to the network were measured for this.",
    "P@4": "Precision at 4: how many of the 4 nearest show the same digit as the query.",
}


def explain(term: str) -> str:
    """What a term of the glossary means, for a reader of fourteen."""
    return f"**{term}**: {GLOSSARY[term]}"
