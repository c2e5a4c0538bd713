"""The names of the content types."""

JSON, CSV, OCTET_STREAM = "application/json", "text/csv", "application/octet-stream"
ANY, NPY = "*/*", "application/x-npy"
UTF8_TYPES = [JSON, CSV]
