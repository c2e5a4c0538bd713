"""The formats of data that the algorithm reads, by their content types (data_utils.py of the image)."""

from local_sagemaker.toolkits.xgboost.errors import UserError

CSV, LIBSVM, PARQUET, PROTOBUF = "csv", "libsvm", "parquet", "recordio-protobuf"
FORMATS = {
    CSV: CSV,
    "text/csv": CSV,
    LIBSVM: LIBSVM,
    "text/libsvm": LIBSVM,
    "text/x-libsvm": LIBSVM,
    PARQUET: PARQUET,
    "application/x-parquet": PARQUET,
    PROTOBUF: PROTOBUF,
    "application/x-recordio-protobuf": PROTOBUF,
}


def format_of(content_type: str | None) -> str:
    """The format of a content type, whatever its parameters; libsvm where there is none. UserError for any other."""
    if content_type is None:
        return LIBSVM
    name, *parameters = (part.strip().lower() for part in content_type.split(";"))
    if name not in FORMATS:
        raise UserError(f"{content_type} is not an accepted ContentType: {', '.join(FORMATS)}.")
    sizes = [each.partition("=")[2].strip() for each in parameters if each.partition("=")[0].strip() == "label_size"]
    if FORMATS[name] == CSV and sizes and sizes != ["1"]:
        raise UserError(f"{content_type} is not an accepted csv ContentType: label_size must be 1.")
    return FORMATS[name]
