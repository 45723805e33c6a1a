"""Measure how fast it is on this machine."""

import json
import os
import sys
from argparse import ArgumentParser, Namespace

from autoencoder import artifacts
from autoencoder.commands.arguments import note_without_mnist, refuse_ignored
from autoencoder.data import load_gallery, load_mnist
from autoencoder.measure import large, speed
from autoencoder.query.engine import Engine
from autoencoder.spaces import Latent


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument(
        "--large", action="store_true", help="instead, search up to 10,000,000 vectors, and by Milvus (needs 1.3 GB)"
    )
    parser.add_argument("--milvus", metavar="ADDRESS", help="with --large: a Milvus server to measure, too")


def run(options: Namespace) -> None:
    if not options.large:
        refuse_ignored(options, "without --large", "milvus")
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")  # as the app has it
    artifacts.verify(artifacts.DIRECTORY)
    if options.large:
        latents = Latent.load(artifacts.DIRECTORY).transform(load_mnist("train").images)
        title, how_to_read = "How large a gallery can be", large.HOW_TO_READ
        measuring = large.benchmark_large(latents, options.milvus)
    else:
        gallery, problem = load_gallery()
        note_without_mnist(problem)
        title, how_to_read = "How fast it is", speed.HOW_TO_READ
        measuring = speed.benchmark(Engine.load(gallery, artifacts.DIRECTORY))
    results = {}
    for what, rows in measuring:
        print(f"measured: {what}", file=sys.stderr)
        results[what] = rows
    if options.json:
        print(json.dumps({"machine": speed.machine()} | results, indent=2))
    else:
        print(f"# {title}\n\n{speed.machine()}.\n\n{how_to_read}\n\n{speed.format_tables(results)}")
