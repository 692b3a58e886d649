"""Columns of the call statistics that describe the account, the handset and the household."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from runners.sample.call_draws import draw_of
from runners.sample.draws import again, pick
from runners.sample.expressions import cut, whole


def subscriber_columns() -> dict[str, Column]:
    """Return the subscriber columns by name; they need the columns of `with_amounts`."""
    return {**_account_columns(), **_handset_columns(), **_household_columns()}


def _account_columns() -> dict[str, Column]:
    draw = draw_of("account")
    months = whole(again(draw, 11) * 56.0) + 6
    quantity = F.col("answered") * 0.4
    subscribers = whole(again(draw, 31) * 2.4) + 1
    classes = ["A"] * 12 + ["B"] * 3 + ["C", "C", "BA", "AA", "U", "G", "D", "CA", "EA"]
    return {
        "churn": whole(again(draw, 19) + 0.495),
        "months": months,
        "uniqsubs": subscribers,
        "actvsubs": F.greatest(subscribers - whole(again(draw, 37) * 1.2), F.lit(0)),
        "new_cell": pick(["N"] * 5 + ["Y"] * 4 + ["U"], again(draw, 23)),
        "crclscod": pick(classes, again(draw, 43)),
        "asl_flag": pick(["N"] * 9 + ["Y"], again(draw, 29)),
        "totcalls": whole(quantity * months),
        "totmou": cut(F.col("minutes") * months),
        "totrev": cut(F.col("revenue") * months),
        "adjrev": cut(F.col("revenue") * months * 0.97),
        "adjmou": cut(F.col("minutes") * months * 0.99),
        "adjqty": whole(quantity * months * 0.99),
        "avgrev": cut(F.col("revenue") * 0.97),
        "avgmou": cut(F.col("minutes") * 0.99),
        "avgqty": cut(quantity),
        "avg3mou": whole(F.col("minutes")),
        "avg3qty": whole(quantity),
        "avg3rev": whole(F.col("revenue")),
        "avg6mou": whole(F.col("minutes") * 0.98),
        "avg6qty": whole(quantity * 0.98),
        "avg6rev": whole(F.col("revenue") * 0.98),
    }


def _handset_columns() -> dict[str, Column]:
    draw = draw_of("handset")
    areas = [
        "ATLANTIC SOUTH AREA", "CENTRAL/SOUTH TEXAS AREA", "CHICAGO AREA", "DALLAS AREA",
        "MIDWEST AREA", "NEW YORK CITY AREA", "NORTHWEST/ROCKY MOUNTAIN AREA",
        "PHILADELPHIA AREA", "SOUTH FLORIDA AREA", "SOUTHWEST AREA", "TENNESSEE AREA",
    ]  # fmt: skip
    prices = (9.989997864, 29.98999023, 59.98999023, 79.98999023, 99.98999023, 149.9899902, None)
    return {
        "area": pick(areas, draw),
        "dualband": pick(["Y"] * 12 + ["N"] * 7 + ["T"], again(draw, 3)),
        "refurb_new": pick(["N"] * 4 + ["R"], again(draw, 5)),
        "hnd_price": pick((*prices[:-1] * 8, None), again(draw, 7)),
        "phones": whole(again(draw, 11) * 8.0) + 1,
        "models": whole(again(draw, 11) * 5.0) + 1,
        "hnd_webcap": pick(["WCMB"] * 6 + ["NA"] * 3 + ["WC"], again(draw, 13)),
        "eqpdays": whole(again(draw, 17) * 1100.0) - 3,
    }


def _household_columns() -> dict[str, Column]:
    draw = draw_of("household")
    answered = draw < 0.98
    kids = ("kid0_2", "kid3_5", "kid6_10", "kid11_15", "kid16_17")
    sizes: list[str | None] = ["A", "A", "A", "A", "A", "B", "C", "D", "E", None, None]
    statuses: list[str | None] = ["C", "C", "C", "C", "I", "B", None, None]
    stated = {
        "truck": whole(again(draw, 3) + 0.3),
        "rv": whole(again(draw, 5) + 0.15),
        "lor": whole(again(draw, 7) * 16.0),
        "adults": whole(again(draw, 11) * 5.0) + 1,
        "income": whole(again(draw, 13) * 9.0) + 1,
        "numbcars": whole(again(draw, 17) * 3.0) + 1,
        "forgntvl": whole(again(draw, 19) + 0.08),
        "marital": pick(["M", "M", "M", "M", "U", "U", "U", "S", "S", "B", "A"], again(draw, 23)),
        "ethnic": pick(["N", "N", "N", "S", "H", "U", "G", "I", "J", "Z"], again(draw, 29)),
        "creditcd": pick(["Y", "Y", "Y", "N"], again(draw, 31)),
        **{
            name: pick(["U"] * 9 + ["Y"], again(draw, 37 + 2 * place))
            for place, name in enumerate(kids)
        },
    }
    return {
        **{name: F.when(answered, value) for name, value in stated.items()},
        "prizm_social_one": pick(["S", "S", "S", "S", "U", "U", "C", "T", None], again(draw, 47)),
        "ownrent": pick(["O"] * 15 + ["R"] + [None] * 4, again(draw, 53)),
        "dwlltype": pick(["S", "S", "S", "M", None], again(draw, 59)),
        "infobase": pick(["M"] * 7 + [None], again(draw, 61)),
        "HHstatin": pick(statuses, again(draw, 67)),
        "dwllsize": pick(sizes, again(draw, 71)),
    }
