"""Columns of the call statistics about usage: money, voice calls, data calls, services."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from runners.sample.call_draws import draw_of
from runners.sample.draws import again
from runners.sample.expressions import cut, whole


def usage_columns() -> dict[str, Column]:
    """Return the usage columns by name; they need the columns of `with_amounts`.

    Calls and minutes are means per month, money is in dollars per month.
    """
    return {
        **_money_columns(),
        **_voice_columns(),
        **_data_columns(),
        **_service_use_columns(),
    }


def _monthly(calls: Column) -> Column:
    """The mean of three months, with its repeating decimals, as in the real file."""
    return calls / 3.0


def _money_columns() -> dict[str, Column]:
    bill = {
        "rev_Mean": F.col("revenue"),
        "mou_Mean": cut(F.col("minutes")),
        "totmrc_Mean": F.col("charge"),
        "da_Mean": whole(again(draw_of("account"), 7) * 9.0) * 0.2475,
        "ovrmou_Mean": F.col("beyond"),
        "ovrrev_Mean": cut(F.col("beyond") * 0.2),
        "vceovr_Mean": cut(F.col("beyond") * 0.19),
        "datovr_Mean": cut(F.col("beyond") * 0.01),
        "roam_Mean": F.col("roam"),
    }
    # Around a slight decrease, in both directions, and larger for those who call more.
    swing = draw_of("change") * 2.0 - 1.06
    change = {
        "change_mou": cut(F.col("minutes") * swing * 0.6),
        "change_rev": cut(F.col("revenue") * swing * 0.3),
    }
    billed = again(draw_of("account"), 97) >= 0.003
    compared = again(draw_of("change"), 89) >= 0.006
    return {
        **{name: F.when(billed, value) for name, value in bill.items()},
        **{name: F.when(compared, value) for name, value in change.items()},
    }


def _voice_columns() -> dict[str, Column]:
    off_peak = F.col("answered") - F.col("peak")
    own = draw_of("household") * 0.4
    return {
        "drop_vce_Mean": _monthly(F.col("dropped")),
        "blck_vce_Mean": _monthly(F.col("blocked")),
        "unan_vce_Mean": _monthly(F.col("unanswered")),
        "plcd_vce_Mean": _monthly(F.col("placed")),
        "recv_vce_Mean": _monthly(F.col("received")),
        "comp_vce_Mean": _monthly(F.col("completed")),
        "mou_cvce_Mean": cut(F.col("minutes_out")),
        "mou_rvce_Mean": cut(F.col("minutes_in")),
        "peak_vce_Mean": _monthly(F.col("peak")),
        "mou_peav_Mean": cut(F.col("minutes_answered") * (draw_of("peak") * 0.35 + 0.5)),
        "opk_vce_Mean": _monthly(off_peak),
        "mou_opkv_Mean": cut(F.col("minutes_answered") * (0.5 - draw_of("peak") * 0.35)),
        "owylis_vce_Mean": _monthly(whole(F.col("completed") * own)),
        "mouowylisv_Mean": cut(F.col("minutes_out") * own),
        "iwylis_vce_Mean": _monthly(whole(F.col("received") * own)),
        "mouiwylisv_Mean": cut(F.col("minutes_in") * own),
        "inonemin_Mean": _monthly(whole(F.col("received") * 0.5)),
    }


def _data_columns() -> dict[str, Column]:
    off_peak = F.col("data_completed") - F.col("data_peak")
    unanswered = whole((F.col("data_failed") - F.col("data_blocked")) * 0.5)
    lost = [F.col(name) for name in ("dropped", "blocked", "data_dropped", "data_blocked")]
    return {
        "drop_dat_Mean": _monthly(F.col("data_dropped")),
        "blck_dat_Mean": _monthly(F.col("data_blocked")),
        "unan_dat_Mean": _monthly(unanswered),
        "plcd_dat_Mean": _monthly(F.col("data_placed")),
        "comp_dat_Mean": _monthly(F.col("data_completed")),
        "mou_cdat_Mean": cut(F.col("data_minutes")),
        "peak_dat_Mean": _monthly(F.col("data_peak")),
        "mou_pead_Mean": cut(F.col("data_minutes") * draw_of("peak")),
        "opk_dat_Mean": _monthly(off_peak),
        "mou_opkd_Mean": cut(F.col("data_minutes") * (1.0 - draw_of("peak"))),
        "drop_blk_Mean": _monthly(lost[0] + lost[1] + lost[2] + lost[3]),
        "attempt_Mean": _monthly(F.col("placed") + F.col("data_placed")),
        "complete_Mean": _monthly(F.col("completed") + F.col("data_completed")),
    }


def _service_use_columns() -> dict[str, Column]:
    cared = whole(F.greatest(again(draw_of("length"), 5) - 0.6, F.lit(0.0)) * 15.0)
    forwards = again(draw_of("roaming"), 61)
    waits = F.greatest(again(draw_of("received"), 3) - 0.38, F.lit(0.0))
    return {
        "recv_sms_Mean": _monthly(whole(F.col("data_placed") * 0.05)),
        "custcare_Mean": _monthly(cared),
        "ccrndmou_Mean": _monthly(cared * 3),
        "cc_mou_Mean": cut(cared * 0.9),
        "threeway_Mean": _monthly(whole(again(draw_of("peak"), 3) * 1.6)),
        "callfwdv_Mean": _monthly(F.when(forwards < 0.011, whole(forwards * 2000.0)).otherwise(0)),
        "callwait_Mean": _monthly(whole(F.col("received") * waits * 0.13)),
    }
