"""What each ingredient of the training brings: the encoder trained with all of them, and with each left out."""

from dataclasses import replace

import numpy as np

from autoencoder.build.evaluate import hits_at_4, neighbors_at_4, reconstruction_mse
from autoencoder.build.model import absorb, look_map
from autoencoder.build.train import fit_content_and_pose, whitening_by_warps
from autoencoder.build.warp import DEFAULT_STRENGTH
from autoencoder.data import Digits
from autoencoder.disturb import NOISE, add_noise
from autoencoder.look import likeness
from autoencoder.spaces import Latent

HELD_OUT = 6_000  # of the training images, the last: never trained on, and what the ingredients were chosen by
MAPS = "whitening", "look map"  # linear: to leave one out takes no training of its own
LEFT_OUT = {
    "nothing": {},
    "noise": {"noise": 0.0},
    "thickness": {"strength": replace(DEFAULT_STRENGTH, thickness=0.0)},
    "neighbors as partners": {"n_partners": 0},
    "agreement": {"agreement_weight": 0.0},
    "rotation, shear, scale, shift": {
        "strength": replace(DEFAULT_STRENGTH, rotation=0.0, shear=0.0, log_scale=0.0, shift_px=0.0)
    },
}


def ablate(training, others, *, epochs, seeds, done=(), left_out=tuple(LEFT_OUT)):
    """Train with each ingredient left out and measure; yields as it goes, for it takes hours at full length.

    Args:
        training: Digits, MNIST's training digits; the last 6,000 are held out.
        others: {name: (gallery, queries)} of Digits to measure besides, queries None for the gallery's own.
        epochs: passes over the images, fewer than for the shipped encoder.
        seeds: ints, one run of each row for each.
        done: rows of earlier runs, which are not run again.
        left_out: of `LEFT_OUT` those to run.

    Yields:
        dict: `left_out`, `seed`, P@4 by the name of the data (`held_out`; `held_out_noisy`, the same digits with noise
        searched for among those without; and those of `others`), `look` of the held-out digits as `likeness` has it,
        and `mse`, of their reconstruction by the decoder that taught the encoder.
    """
    images = training.images[:-HELD_OUT]
    held_out = Digits("held_out", training.images[-HELD_OUT:], training.labels[-HELD_OUT:], training.sha256)
    noisy = Digits("held_out_noisy", add_noise(held_out.images, NOISE), held_out.labels, held_out.sha256)

    def measure(space):
        hits = {"held_out": hits_at_4(space, held_out), noisy.name: hits_at_4(space, held_out, noisy, own=True)}
        hits |= {data: hits_at_4(space, *digits) for data, digits in others.items()}
        look = likeness(held_out.images, held_out.labels, held_out, neighbors_at_4(space, held_out))["look"]
        return {data: float(of_queries.mean() / 4) for data, of_queries in hits.items()} | {"look": look}

    known = {(row["left_out"], row["seed"]) for row in done}
    for seed in seeds:
        for name in left_out:
            rows = [row for row in ((*MAPS, name) if name == "nothing" else (name,)) if (row, seed) not in known]
            if not rows:
                continue
            model = fit_content_and_pose(images, epochs=epochs, seed=seed, **LEFT_OUT[name])
            space = Latent(model.encoder, model.decoder)
            mse = {"mse": reconstruction_mse(space, held_out.images)}
            last = model.encoder.get_layer("latents")
            as_trained = last.get_weights()
            for row in rows:
                last.set_weights(as_trained)
                if row != "whitening":
                    absorb(model.encoder, whitening_by_warps(model, images, seed=seed))
                if row != "look map":
                    absorb(model.encoder, look_map(space.transform(images), images))
                yield {"left_out": row, "seed": seed} | measure(space) | mse


def format_rows(rows):
    """What `ablate` yields as lines of a Markdown table: a row an ingredient, the mean ± deviation over its seeds."""
    names = [name for name in rows[0] if name not in ("left_out", "seed")]
    lines = [f"| left out | {' | '.join(names)} |", f"| --- |{' --- |' * len(names)}"]
    for left_out in dict.fromkeys(row["left_out"] for row in rows):
        runs = np.array([[row[name] for name in names] for row in rows if row["left_out"] == left_out])
        cells = [f"{mean:.4f}" for mean in runs.mean(0)]
        if len(runs) > 1:
            cells = [f"{cell} ± {deviation:.4f}" for cell, deviation in zip(cells, runs.std(0), strict=True)]
        lines.append(f"| {left_out} | {' | '.join(cells)} |")
    return "\n".join(lines)
