"""Train the autoencoder on MNIST and write all artifacts. Can be stopped, and goes on when repeated."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from autoencoder import artifacts
from autoencoder.build.evaluate import format_table
from autoencoder.commands.arguments import make_folder, refuse_ignored, require_files, whole_number
from autoencoder.data import load_drawn

DECODER_EPOCHS = 12
CHECKPOINTS = ".checkpoints"  # beside what is trained, so that one experiment does not go on from another's


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--out",
        type=Path,
        default=artifacts.DIRECTORY,
        metavar="DIR",
        help="the folder to write to; name another to leave the committed model as it is (default: %(default)s)",
    )
    parser.add_argument(
        "--epochs",
        type=whole_number(3),
        default=60,
        help="passes over the training images for the encoder (default: %(default)s)",
    )
    parser.add_argument(
        "--decoder-epochs",
        type=whole_number(1),
        metavar="EPOCHS",
        help=f"passes for the decoder, after that (default: {DECODER_EPOCHS})",
    )
    parser.add_argument(
        "--seed",
        type=whole_number(0),
        default=0,
        help="seed of the weights, the order and the warps (default: %(default)s)",
    )
    parser.add_argument("--drawn", type=Path, metavar="FILE", help="pen strokes to measure with too (.jsonl.gz)")
    parser.add_argument("--not-digits", type=Path, metavar="FILE", help="strokes of other characters, too (.jsonl.gz)")
    parser.add_argument(
        "--textbook",
        action="store_true",
        help="instead, train the textbooks' dense autoencoder, and add its figures to the metrics that DIR has",
    )


def run(options: Namespace) -> None:
    if options.textbook:
        refuse_ignored(options, "with --textbook", "decoder_epochs", "not_digits")
    require_files(options.drawn, options.not_digits)
    make_folder(options.out)  # now, since it may fail, and the training takes hours
    drawn = load_drawn(options.drawn) if options.drawn else None
    not_digits = load_drawn(options.not_digits, labeled=False) if options.not_digits else None
    from autoencoder.build.train import train, train_textbook

    if options.textbook:
        measured = train_textbook(epochs=options.epochs, seed=options.seed, drawn=drawn, directory=options.out)
    else:
        measured = train(
            epochs=options.epochs,
            decoder_epochs=options.decoder_epochs or DECODER_EPOCHS,
            seed=options.seed,
            drawn=drawn,
            not_digits=not_digits,
            directory=options.out,
            checkpoints=options.out / CHECKPOINTS,
        )
    print(format_table(measured))
