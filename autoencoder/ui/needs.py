"""What some pages need of a gallery; without it each raises a Hint that says so."""

from autoencoder.data import Digits
from autoencoder.query.question import Hint
from autoencoder.ui.loading import is_studied

LARGEST_GALLERY = 100_000


def need_study(gallery: Digits) -> None:
    """Raise a Hint where the build has not studied the gallery: one of the server's own."""
    if not is_studied(gallery.name):
        raise Hint(
            f"This server searches {gallery.title}, and there is nothing here for them: this page shows what comes "
            "with the app, of MNIST and the bundled digits."
        )


def need_memory(gallery: Digits) -> None:
    """Raise a Hint where the gallery is too large for a page that holds every digit in memory several times over."""
    if len(gallery) > LARGEST_GALLERY:
        raise Hint(
            f"This server searches {gallery.title}. This page holds every digit in memory several times over, so it is "
            f"for at most {LARGEST_GALLERY:,} digits. **Search** has no such limit."
        )
