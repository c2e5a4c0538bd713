"""Bodies to arrays and back, as the images' toolkits do it."""

import io

import numpy as np
import pytest
import scipy.sparse

from local_sagemaker.toolkits import encodings
from local_sagemaker.toolkits.answers import UnsupportedFormat


def npy(array: object) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.array(array))
    return stream.getvalue()


def test_a_body_becomes_an_array() -> None:
    for decoded in (encodings.decoded, encodings.decoded_by_containers):
        assert decoded("1,2\n3,4\n", "text/csv").tolist() == [[1, 2], [3, 4]]
        assert decoded("[[1, 2.5]]", "application/json").tolist() == [[1, 2.5]]
        assert decoded(npy([[1, 2]]), "application/x-npy").tolist() == [[1, 2]]
        with pytest.raises(UnsupportedFormat, match=r"Content type text/xml is not supported"):
            decoded("<a/>", "text/xml")
    stream = io.BytesIO()
    scipy.sparse.save_npz(stream, scipy.sparse.csr_matrix([[0, 7]]))
    assert encodings.decoded(stream.getvalue(), "application/x-npz").toarray().tolist() == [[0, 7]]


def test_one_row_or_one_column_of_csv_loses_a_dimension_as_in_the_images() -> None:
    assert encodings.decoded_by_containers("1,2\n", "text/csv").shape == (2,)
    assert encodings.decoded_by_containers("1\n2\n", "text/csv").shape == (2,)
    assert encodings.decoded("1,2\n", "text/csv").shape == (2,)


def test_an_array_becomes_a_body() -> None:
    table = np.array([[1, 2], [3, 4]])
    assert encodings.encoded(table, "text/csv") == encodings.encoded_by_containers(table, "text/csv") == "1,2\n3,4\n"
    assert encodings.encoded_by_containers([1.5, 2.5], "text/csv") == "1.5\n2.5\n"
    assert encodings.encoded(np.array([1.5]), "application/json") == "[1.5]"
    assert encodings.encoded({"a": np.float32(1)}, "application/json") == '{"a": 1.0}'
    assert encodings.encoded(table, "application/x-npy") == npy([[1, 2], [3, 4]])
    with pytest.raises(UnsupportedFormat):
        encodings.encoded(table, "text/xml")


def test_the_first_type_that_can_be_written_is_answered() -> None:
    assert encodings.encoded_as_accepted([1], "text/html, application/json,text/csv") == ("[1]", "application/json")
    with pytest.raises(UnsupportedFormat):
        encodings.encoded_as_accepted([1], "text/html")


def test_a_pickle_in_npy_is_not_loaded() -> None:
    stream = io.BytesIO()
    np.save(stream, np.array([{"a": 1}]), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle"):
        encodings.decoded(stream.getvalue(), "application/x-npy")
