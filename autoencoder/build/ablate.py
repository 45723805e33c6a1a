"""What each ingredient of the training brings: the encoder trained with all of them, and with each left out."""

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autoencoder.build.evaluate import count_hits, hits_at_4, neighbors_at_4, reconstruction_mse
from autoencoder.build.model import absorb, look_map
from autoencoder.build.train import fit_content_and_pose, whitening_by_warps
from autoencoder.build.warp import DEFAULT_STRENGTH
from autoencoder.data import Digits
from autoencoder.disturb import NOISE, add_noise
from autoencoder.look import likeness
from autoencoder.spaces import Latent

HELD_OUT = 6_000  # the last of the training images: never trained on, and the ingredients were chosen by them
MAPS = "whitening", "look map"  # linear: to leave one out takes no training of its own
LEFT_OUT: dict[str, dict[str, Any]] = {
    "nothing": {},
    "noise": {"most_noise": 0.0},
    "thickness": {"strength": replace(DEFAULT_STRENGTH, thickness=0.0)},
    "neighbors as partners": {"n_partners": 0},
    "agreement": {"agreement_weight": 0.0},
    "rotation, shear, scale, shift": {
        "strength": replace(DEFAULT_STRENGTH, rotation=0.0, shear=0.0, log_scale=0.0, shift_px=0.0)
    },
}


def ablate(
    training: Digits,
    others: Mapping[str, tuple[Digits, Digits | None]],
    *,
    epochs: int,
    seeds: Sequence[int],
    done: Collection[dict[str, Any]] = (),
    left_out: Sequence[str] = tuple(LEFT_OUT),
) -> Iterator[dict[str, Any]]:
    """Train with each ingredient left out and measure; yields row by row, since at full length it takes hours.

    Args:
        training: Digits, MNIST's training digits; the last 6,000 are held out.
        others: {name: (gallery, queries)} of Digits to measure besides, queries None for the gallery's own.
        epochs: passes over the images, fewer than for the shipped encoder.
        seeds: one run of each row for each.
        done: rows of earlier runs, which are not run again.
        left_out: the names in `LEFT_OUT` to run.

    Yields:
        dict: `left_out`, `seed`, P@4 by the name of the data (`held_out`; `held_out_noisy`, the same digits with noise
        searched for among those without; and those of `others`), `look` of the held-out digits as `likeness` gives it,
        and `mse`, of their reconstruction by the decoder that taught the encoder.
    """
    images = training.images[:-HELD_OUT]
    held_out = Digits("held_out", training.images[-HELD_OUT:], training.labels[-HELD_OUT:], training.sha256)
    known = {(row["left_out"], row["seed"]) for row in done}
    for seed, name in itertools.product(seeds, left_out):
        wanted = (*MAPS, name) if name == "nothing" else (name,)
        rows = [row for row in wanted if (row, seed) not in known]
        if not rows:
            continue
        model = fit_content_and_pose(images, epochs=epochs, seed=seed, **LEFT_OUT[name])
        space = Latent(model.encoder, model.decoder)
        mse = reconstruction_mse(space, held_out.images[:])  # before the maps, which the decoder does not know
        last = model.encoder.get_layer("latents")
        as_trained = last.get_weights()
        for row in rows:
            last.set_weights(as_trained)
            if row != "whitening":
                absorb(model.encoder, whitening_by_warps(model, images, seed=seed))
            if row != "look map":
                absorb(model.encoder, look_map(space.transform(images), images))
            yield {"left_out": row, "seed": seed} | _measure(space, held_out, others) | {"mse": mse}


def _measure(
    space: Latent, held_out: Digits, others: Mapping[str, tuple[Digits, Digits | None]]
) -> dict[str, float | None]:
    """P@4 by the name of the data, and `look`, as `ablate` yields them."""
    noisy = Digits("held_out_noisy", add_noise(held_out.images[:], NOISE), held_out.labels, held_out.sha256)
    found = neighbors_at_4(space, held_out)
    hits = {
        "held_out": count_hits(held_out, found, held_out.labels),
        "held_out_noisy": hits_at_4(space, held_out, noisy, in_gallery=True),
    }
    hits |= {data: hits_at_4(space, *digits) for data, digits in others.items()}
    look = likeness(held_out.images[:], held_out.labels, held_out, found)["look"]
    return {data: float(of_queries.mean() / 4) for data, of_queries in hits.items()} | {"look": look}


def format_rows(rows: Sequence[dict[str, Any]]) -> str:
    """What `ablate` yields as a Markdown table: a row for each ingredient, the mean ± deviation over its seeds."""
    names = [name for name in rows[0] if name not in ("left_out", "seed")]
    lines = [f"| left out | {' | '.join(names)} |", f"| --- |{' --- |' * len(names)}"]
    for left_out in dict.fromkeys(row["left_out"] for row in rows):
        runs = np.array([[row[name] for name in names] for row in rows if row["left_out"] == left_out])
        cells = [f"{mean:.4f}" for mean in runs.mean(0)]
        if len(runs) > 1:
            cells = [f"{cell} ± {deviation:.4f}" for cell, deviation in zip(cells, runs.std(0), strict=True)]
        lines.append(f"| {left_out} | {' | '.join(cells)} |")
    return "\n".join(lines)
