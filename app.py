"""The entry: `streamlit run app.py` serves the pages that `autoencoder/ui/pages/navigation.py` lists."""

from starlette.middleware import Middleware
from streamlit.starlette import App

from autoencoder.ui.compression import CompressedStatics
from autoencoder.ui.guard import Guard, guarded
from autoencoder.ui.sprites import routes

MIDDLEWARE = [Middleware(Guard), Middleware(CompressedStatics)]  # in the order that a request meets them

app = App("autoencoder/ui/pages/navigation.py", middleware=MIDDLEWARE, routes=routes(), lifespan=guarded)
