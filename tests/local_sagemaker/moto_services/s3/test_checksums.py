"""Checksums against the check values of their definitions."""

import base64

import pytest

from local_sagemaker.moto_services.s3.checksums import compute_checksum

# https://reveng.sourceforge.io/crc-catalogue/all.htm: the CRCs of "123456789"; RFC 3174 and FIPS 180-4 for "abc"
KNOWN = [
    ("CRC32", b"123456789", "cbf43926"),
    ("CRC32C", b"123456789", "e3069283"),
    ("CRC64NVME", b"123456789", "ae8b14860a799888"),
    ("SHA1", b"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
    ("SHA256", b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
]


@pytest.mark.parametrize(("algorithm", "data", "expected"), KNOWN)
def test_each_algorithm_gives_its_known_value_in_one_block_and_in_many(
    algorithm: str, data: bytes, expected: str
) -> None:
    whole = compute_checksum(data, algorithm)
    pieces = compute_checksum((data[i : i + 1] for i in range(len(data))), algorithm)
    assert base64.b64decode(whole).hex() == base64.b64decode(pieces).hex() == expected
