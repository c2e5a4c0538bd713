"""The families of images: everything in which AWS's framework images differ, a row for each family.

The facts are those of the images' own sources: aws/sagemaker-xgboost-container, sagemaker-scikit-learn-container,
sagemaker-pytorch-inference-toolkit, and the toolkits on PyPI (sagemaker-containers, sagemaker-training,
sagemaker-inference).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

CONTAINERS, TRAINING = "sagemaker-containers", "sagemaker-training"


@dataclass(frozen=True)
class ImageFamily:
    """One family.

    `repositories` is the pattern of the last part of a repository's name. `frameworks` are what a tag's version means
    and the distributions, one of which has it; the image has the first one always, and the others where its repository
    is named after them. `entry_points` is what script mode runs: `modules` (sagemaker-containers: python -m) or
    `programs` (sagemaker-training: scripts, packages, shell scripts, commands). `serving` is the toolkit that calls the
    handlers of a script: `containers` (sagemaker-containers; `containers_with_context` gives a context to handlers that
    need one) or `inference` (sagemaker-inference), and None where the image serves without such handlers.
    `default_handlers` names the module of local_sagemaker/toolkits that has those that a script leaves out. `algorithm`
    says whether the image trains and serves by itself where no script is given. `packages` are the folders of
    local_sagemaker/toolkits/packages with what stands for AWS's own packages in the image.
    """

    name: str
    repositories: str
    frameworks: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    entry_points: Literal["modules", "programs"] = "programs"
    serving: Literal["containers", "containers_with_context", "inference"] | None = "inference"
    default_handlers: str | None = None
    algorithm: bool = False
    packages: tuple[str, ...] = ()

    @property
    def training(self) -> str | None:
        """The toolkit that runs its scripts, and says why one has failed; None where there is none."""
        if not self.frameworks:
            return None
        return CONTAINERS if self.entry_points == "modules" else TRAINING

    def needed(self, repository: str) -> dict[str, tuple[str, ...]]:
        """The frameworks that an image of this family has for certain."""
        own = next(iter(self.frameworks), None)
        return {name: names for name, names in self.frameworks.items() if name == own or name in repository}


FAMILIES = (
    ImageFamily(
        "XGBoost",
        r"sagemaker-xgboost",
        {"xgboost": ("xgboost", "xgboost-cpu")},
        entry_points="modules",
        serving="containers",
        default_handlers="xgboost_handlers",
        algorithm=True,
        packages=("containers", "xgboost"),
    ),
    ImageFamily(
        "scikit-learn",
        r"sagemaker-scikit-learn",
        {"scikit-learn": ("scikit-learn",)},
        serving="containers_with_context",
        default_handlers="scikit_learn_handlers",
        packages=("containers",),
    ),
    ImageFamily(
        "PyTorch",
        r"(sagemaker-)?pytorch(-[\w-]+)?",
        {"pytorch": ("torch",)},
        default_handlers="pytorch_handlers",
        packages=("inference",),
    ),
    ImageFamily(
        "Hugging Face",
        r"(sagemaker-)?huggingface(-[\w-]+)?",
        {"transformers": ("transformers",), "pytorch": ("torch",), "tensorflow": ("tensorflow", "tensorflow-cpu")},
        default_handlers="hugging_face_handlers",
        packages=("inference",),
    ),
    ImageFamily(
        "TensorFlow",
        r"(sagemaker-)?tensorflow(-[\w-]+)?",
        {"tensorflow": ("tensorflow", "tensorflow-cpu")},
        serving=None,  # TensorFlow Serving, which is not a Python program
    ),
    ImageFamily("MXNet", r"(sagemaker-)?mxnet(-[\w-]+)?", {"mxnet": ("mxnet",)}, packages=("inference",)),
    ImageFamily(
        "AutoGluon", r"(sagemaker-)?autogluon(-[\w-]+)?", {"autogluon": ("autogluon.core",)}, packages=("inference",)
    ),
    ImageFamily("Chainer", r"(sagemaker-)?chainer(-[\w-]+)?", {"chainer": ("chainer",)}),
    # These have no toolkit; what script mode and endpoints do with them here is local SageMaker's own.
    ImageFamily("SageMaker's base", r"sagemaker-(base-python|distribution)(-\w+)?", entry_points="modules"),
    ImageFamily("Python", r"python", entry_points="modules"),
)
PLAIN = FAMILIES[-1]
# https://docs.aws.amazon.com/sagemaker/latest/dg-ecr-paths/ecr-us-east-1.html
BUILT_IN_ALGORITHMS = frozenset(
    (
        *("blazingtext", "factorization-machines", "forecasting-deepar", "image-classification", "ipinsights"),
        *("kmeans", "knn", "lda", "linear-learner", "ntm"),
        *("object2vec", "object-detection", "pca", "randomcutforest", "semantic-segmentation"),
        *("seq2seq", "xgboost"),
    )
)


def family_of(repository: str) -> ImageFamily | None:
    """The family of a repository, by the last part of its name; None where it is nobody's."""
    return next((family for family in FAMILIES if re.fullmatch(family.repositories, repository)), None)


def distributions() -> tuple[str, ...]:
    """Every distribution that has a framework of some family."""
    found = (name for family in FAMILIES for names in family.frameworks.values() for name in names)
    return tuple(dict.fromkeys(found))
