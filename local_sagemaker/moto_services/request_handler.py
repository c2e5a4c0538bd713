"""How moto wants its requests handed over."""

from typing import Any

from moto.core.request import PRESERVED_HEADER_NAMES_ENVIRON_KEY
from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import WSGIRequestHandler


class MotoCompatibleHandler(MotoRequestHandler):
    """moto's handler, which is quicker about headers."""

    def make_environ(self) -> dict[str, Any]:
        """Leave out moto's search for headers with an underscore where there is none."""
        if any("_" in name for name in self.headers):
            return super().make_environ()
        return {**WSGIRequestHandler.make_environ(self), PRESERVED_HEADER_NAMES_ENVIRON_KEY: {}}
