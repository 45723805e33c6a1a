"""Train anew, for fewer epochs, and keep what it looks like on the way: the About page shows it."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from autoencoder import artifacts
from autoencoder.commands.arguments import make_folder, whole_number
from autoencoder.data import load_mnist


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--out",
        type=Path,
        default=artifacts.DIRECTORY,
        metavar="DIR",
        help="the folder to write to; nothing else in it changes (default: %(default)s)",
    )
    parser.add_argument(
        "--epochs", type=whole_number(3), default=15, help="passes over the training images (default: %(default)s)"
    )
    parser.add_argument(
        "--seed",
        type=whole_number(0),
        default=0,
        help="seed of the weights, the order, the warps and the map (default: %(default)s)",
    )


def run(options: Namespace) -> None:
    make_folder(options.out)  # now, since it may fail, and the training takes long
    training, test = load_mnist("train"), load_mnist()
    from autoencoder.build.history import record_history

    history = record_history(training, test, epochs=options.epochs, seed=options.seed)
    with artifacts.replacing(options.out) as folder:
        history.save(folder / artifacts.HISTORY)
    print(f"{'epochs':>6}  {'P@4':>6}  {'MSE':>6}")
    for epochs, precision, mse in zip(history.epochs, history.precision_at_4, history.mse, strict=True):
        print(f"{epochs:>6.3g}  {precision:>6.4f}  {mse:>6.4f}")
