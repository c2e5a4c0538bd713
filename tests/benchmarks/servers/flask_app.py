"""The handlers of a model behind Flask, as the toolkit of the XGBoost image has them; gunicorn imports `app`."""

import os
import sys

from flask import Flask, Response, request

sys.path.insert(0, os.environ["MODEL_CODE"])
from steps import serve

app = Flask(__name__)
model = serve.model_fn(os.environ["MODEL_FOLDER"])


@app.get("/ping")
def ping() -> Response:
    """The health check."""
    return Response(status=200)


@app.post("/invocations")
def invocations() -> Response:
    """One invocation."""
    kind = request.headers["Content-Type"]
    answer = serve.output_fn(serve.predict_fn(serve.input_fn(request.get_data(), kind), model), kind)
    return Response(answer[0], mimetype=answer[1])
