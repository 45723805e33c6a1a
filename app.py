"""The entry: `streamlit run app.py` serves the pages that `autoencoder/ui/navigation.py` lists."""

from starlette.middleware import Middleware
from streamlit.starlette import App

from autoencoder.ui.guard import Guard, guarded

app = App("autoencoder/ui/navigation.py", middleware=[Middleware(Guard)], lifespan=guarded)
