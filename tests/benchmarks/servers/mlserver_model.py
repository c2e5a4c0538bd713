"""The handlers of a model behind MLServer: the body of a request is the one value of the inference protocol's input."""

import os
import sys

from mlserver import MLModel
from mlserver.codecs import StringCodec
from mlserver.types import InferenceRequest, InferenceResponse

sys.path.insert(0, os.environ["MODEL_CODE"])
JSON = "application/json"


class Handlers(MLModel):
    """One model, loaded in each worker."""

    async def load(self) -> bool:
        """Load the model."""
        from steps import serve

        self.serve = serve
        self.model = serve.model_fn(os.environ["MODEL_FOLDER"])
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """One invocation."""
        body = StringCodec.decode_input(payload.inputs[0])[0]
        text, _ = self.serve.output_fn(self.serve.predict_fn((body, JSON), self.model), JSON)
        return InferenceResponse(model_name=self.name, outputs=[StringCodec.encode_output("answer", [text])])
