"""How many files the rows of a table are divided into. Imports no library: the pipeline's checks read it, too."""

PARTS = 64  # of a table of ordinary size: so many hosts can share it
FEWEST_ROWS, MOST_ROWS = 4096, 1 << 18  # of a part: of fewer rows there are fewer parts, of more there are more


def parts_of_rows(rows: int) -> int:
    """How many parts a table of so many rows has, however many hosts will read them."""
    return max(1, -(-rows // min(MOST_ROWS, max(FEWEST_ROWS, -(-rows // PARTS)))))
