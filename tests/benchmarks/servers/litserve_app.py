"""The handlers of a model behind LitServe: `python litserve_app.py PORT WORKERS`."""

import json
import os
import sys
from typing import Any

import litserve

sys.path.insert(0, os.environ["MODEL_CODE"])
JSON = "application/json"


class Handlers(litserve.LitAPI):
    """LitServe reads the JSON of a request and writes that of an answer, so the rows are written and read once more."""

    def setup(self, device: str) -> None:
        """Load the model, in each worker."""
        from steps import serve

        self.serve = serve
        self.model = serve.model_fn(os.environ["MODEL_FOLDER"])

    def predict(self, request: Any) -> Any:
        """One invocation."""
        found = self.serve.predict_fn((json.dumps(request), JSON), self.model)
        return json.loads(self.serve.output_fn(found, JSON)[0])


if __name__ == "__main__":
    server = litserve.LitServer(Handlers(), accelerator="cpu", workers_per_device=int(sys.argv[2]), timeout=60)
    server.run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False, log_level="error")
