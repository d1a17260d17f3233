import pytest

from storage.schema.sqlite import has_wal_reset_bug, sqlite3


@pytest.mark.parametrize(
    ("version", "affected"),
    [
        ((3, 6, 23), False),  # before there was a WAL
        ((3, 40, 1), True),  # Debian 12's
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 0), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 53, 4), False),
        ((4, 0, 0), False),
    ],
)
def test_the_versions_with_the_wal_reset_bug_are_known(version: tuple[int, int, int], affected: bool) -> None:
    assert has_wal_reset_bug(version) is affected


def test_what_goes_in_comes_out_as_it_was() -> None:
    connection = sqlite3.connect(":memory:")
    values = (None, b"", b"\x00\xff", "", "ខ្មែរ", 0, -1, 2**62, 1.5)
    row = connection.execute(f"SELECT {', '.join('?' * len(values))}", values).fetchone()
    connection.close()
    assert row == values
    assert [type(value) for value in row] == [type(value) for value in values]
