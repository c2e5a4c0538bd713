"""The names of the content types."""

JSON, CSV, OCTET_STREAM = "application/json", "text/csv", "application/octet-stream"
ANY, NPY, NPZ = "*/*", "application/x-npy", "application/x-npz"
UTF8_TYPES = [JSON, CSV]
