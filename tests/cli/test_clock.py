import pytest

from avloc.cli.clock import parse_seconds, show_seconds
from avloc.errors import UsageError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("90", 90), ("4.25", 4.25), ("1:30", 90), ("01:02:03.5", 3723.5), ("90:00", 5400)],
)
def test_times_people_write(text, seconds):
    assert parse_seconds(text, "--start") == seconds


@pytest.mark.parametrize(
    "text", ["", "-1", "x", "1:60", "1:2:3:4", "nan", "inf", "1.5:00", "1::2", "0:-5"]
)
def test_what_is_no_time_is_refused(text):
    with pytest.raises(UsageError, match=r"--end .* is not a time"):
        parse_seconds(text, "--end")


def test_no_time_stays_none():
    assert parse_seconds(None, "--start") is None


@pytest.mark.parametrize(
    ("seconds", "text"), [(4.24, "4.2 s"), (65, "1:05"), (3723, "1:02:03"), (59.99, "60.0 s")]
)
def test_times_are_shown_short(seconds, text):
    assert show_seconds(seconds) == text
