"""What the tests of ciso8601 import and its source archive lacks: timestamps, good and bad.

The cases are ours; the package's own generator is not in the archive.
"""

import datetime
import itertools

# The extended format has separators in the date and in the time, the basic format in neither.
EXTENDED_DATES = [
    ("2014-02-05", datetime.date(2014, 2, 5)),
    ("2014-W06-3", datetime.date(2014, 2, 5)),
    ("2014-W06", datetime.date(2014, 2, 3)),
    ("2014-036", datetime.date(2014, 2, 5)),
    ("2012-02-29", datetime.date(2012, 2, 29)),
    ("9999-12-31", datetime.date(9999, 12, 31)),
]
BASIC_DATES = [
    ("20140205", datetime.date(2014, 2, 5)),
    ("2014W063", datetime.date(2014, 2, 5)),
    ("2014W06", datetime.date(2014, 2, 3)),
    ("2014036", datetime.date(2014, 2, 5)),
]
EXTENDED_TIMES = [
    ("23", datetime.time(23)),
    ("23:59", datetime.time(23, 59)),
    ("23:59:58", datetime.time(23, 59, 58)),
    ("23:59:58.1", datetime.time(23, 59, 58, 100_000)),
    ("23:59:58,123456", datetime.time(23, 59, 58, 123_456)),
]
BASIC_TIMES = [
    ("23", datetime.time(23)),
    ("2359", datetime.time(23, 59)),
    ("235958", datetime.time(23, 59, 58)),
    ("235958.12345678", datetime.time(23, 59, 58, 123_456)),
]


def _zone(minutes):
    return datetime.timezone(datetime.timedelta(minutes=minutes))


ZONES = [
    ("", None),
    ("Z", datetime.timezone.utc),
    ("z", datetime.timezone.utc),
    ("+00:00", datetime.timezone.utc),
    ("-00", datetime.timezone.utc),
    ("+05", _zone(5 * 60)),
    ("-0530", _zone(-5 * 60 - 30)),
    ("+23:59", _zone(23 * 60 + 59)),
]


def generate_valid_timestamp_and_datetime():
    """Yield each timestamp with the datetime that it stands for."""
    yield "2014-02", datetime.datetime(2014, 2, 1)
    for dates, times in (EXTENDED_DATES, EXTENDED_TIMES), (BASIC_DATES, BASIC_TIMES):
        for text, date in dates:
            yield text, datetime.datetime.combine(date, datetime.time())
        for date, separator, time, zone in itertools.product(dates, "Tt ", times, ZONES):
            text = date[0] + separator + time[0] + zone[0]
            yield text, datetime.datetime.combine(date[1], time[1], tzinfo=zone[1])


def generate_invalid_timestamp():
    """Yield each bad timestamp with what is wrong with it."""
    good = "2014-02-05T23:59:58.123456+05:30"
    for at, character in itertools.product(range(len(good)), "x\u00e9"):
        yield good[:at] + character + good[at + 1 :], f"{character!r} at {at}"
    for text, _ in EXTENDED_DATES + BASIC_DATES:
        yield text + "x", "trailing character"
        yield text + "T", "no time"
    for text in "", "2", "201", "2014-", "2014-0", "2014-W", "2014-W0":
        yield text, "ends early"
    for text in "2014-13", "2014-00-01", "2014-02-30", "2014-W54", "2014-W01-8", "2014-366":
        yield text, "date out of range"
    for time in "24:01", "25", "23:60", "23:59:60", "23:59:58.", "2359:58", "23:5958":
        yield "2014-02-05T" + time, "bad time"
    for zone in "+24:00", "+23:60", "+5", "+", "ZZ", "+05:3":
        yield "2014-02-05T23:59" + zone, "bad time zone"
