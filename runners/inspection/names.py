"""What the name of a column says: its words, and how much they are those of another name."""

import re
from collections.abc import Iterable
from functools import cache

# Words that mean the same, as counters and exports have them; the first stands for all.
SAME = (
    ("dl", "downlink", "down"),
    ("ul", "uplink", "up"),
    ("mean", "avg", "average", "mittel", "mittelwert"),
    ("max", "maximum", "highest", "most"),
    ("throughput", "thr", "thp", "thrp", "tput", "durchsatz"),
    ("user", "users", "ue", "ues"),
    ("usage", "use", "used", "util", "utilization", "utilisation", "auslastung"),
    ("voice", "vce"),
    ("data", "dat"),
    ("dropped", "drop", "drops"),
    ("blocked", "blck", "block", "blocks"),
    ("attempted", "plcd", "placed", "attempts"),
    ("completed", "comp", "complete"),
    ("offpeak", "opk", "off"),
    ("minutes", "mou", "minute"),
    ("roaming", "roam"),
    ("call", "calls"),
)
STANDS_FOR = {word: same[0] for same in SAME for word in same}
# Of two names one may lack these and still mean the same.
UNITS = {
    "mbps",
    "kbps",
    "mbit",
    "percent",
    "pct",
    "per",
    "month",
    "months",
    "in",
    "of",
    "the",
    "s",
    "lte",
}
# Names that differ in these mean different quantities.
OPPOSITES = (("dl", "ul"), ("mean", "max"), ("voice", "data"), ("peak", "offpeak"))
# What names of keys and times say, in the languages that we know exports in.
OF_CELL = {"cell", "cellname", "cellid", "eutrancell", "celltower", "sector", "zelle", "celda"}
OF_TIME = {"time", "timestamp", "datetime", "stamp", "zeit", "uhrzeit", "zeitstempel", "period"}
OF_CUSTOMER = {"index", "customer", "subscriber", "client", "account", "kunde", "kundennummer"}


@cache
def words_of(name: str) -> frozenset[str]:
    """The words of a name, without units: meanThr_DL has mean, throughput and dl."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    words = re.findall(r"[^\W\d_]+", apart.lower())
    return frozenset(STANDS_FOR.get(word, word) for word in words if word not in UNITS)


def likeness(name: str, others: Iterable[str]) -> float:
    """The largest share of words that a name has in common with another; 0 for opposites."""
    words = words_of(name)
    shares = [0.0]
    for other in map(words_of, others):
        is_opposite = any(
            len({one in words, two in words}) == 2
            and len({one in other, two in other}) == 2
            and (one in words) != (one in other)
            for one, two in OPPOSITES
        )
        if words and other and not is_opposite:
            shares.append(len(words & other) / len(words | other))
    return max(shares)


def says(name: str, words: Iterable[str]) -> bool:
    """Whether a name has one of these words, or is made of them: CellName, cell_id, Zelle."""
    joined = re.sub(r"[\W\d_]+", "", name.lower())
    return joined in words or not words_of(name).isdisjoint(words)
