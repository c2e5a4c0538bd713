"""What the XGBoost image's own entry module does for a script, in a few lines: it is not on the package index.

Written from what sagemaker_xgboost_container/training.py and serving.py do (aws/sagemaker-xgboost-container). Its
handlers for what a script leaves out are not here. Everything else is AWS's own toolkit, sagemaker-containers.
"""

import importlib

from sagemaker_containers.beta.framework import env, modules, training_env, transformer, worker

HANDLERS = ("model_fn", "input_fn", "predict_fn", "output_fn", "transform_fn")
app = None


def train():
    """SAGEMAKER_TRAINING_MODULE: run the user's script."""
    given = training_env()
    modules.run_module(
        given.module_dir, given.to_cmd_args(), given.to_env_vars(), given.module_name, capture_error=False
    )


def main(environ, start_response):
    """SAGEMAKER_SERVING_MODULE: the WSGI application around the user's handlers, made at the first request."""
    global app
    if app is None:
        name = env.ServingEnv().module_name
        module = importlib.import_module(name)
        handlers = transformer.Transformer(**{each: getattr(module, each, None) for each in HANDLERS})
        handlers.initialize()
        app = worker.Worker(transform_fn=handlers.transform, module_name=name)
    return app(environ, start_response)
