"""How a file that was started by its path finds its neighbours, and keeps them out of the user's way."""

import sys
import types
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGE = "local_sagemaker"


def make_importable() -> None:
    """Let `local_sagemaker.toolkits` be imported here, and no file of it by its bare name.

    The interpreter of an image need not have local SageMaker; and a user's module may be named like a file here.
    """
    sys.path = [folder for folder in sys.path if Path(folder or ".").resolve() != HERE]
    if PACKAGE not in sys.modules:
        package = types.ModuleType(PACKAGE)
        package.__path__ = [str(HERE.parent)]
        sys.modules[PACKAGE] = package
