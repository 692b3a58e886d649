"""The call statistics of the customers in the 100 columns of the real file."""

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from runners.sample.call_amounts import with_amounts
from runners.sample.call_draws import draw_of, with_draws
from runners.sample.call_subscriber import subscriber_columns
from runners.sample.call_usage import usage_columns
from runners.sample.customer_identity import numbers_end
from runners.sample.draws import again
from runners.sample.scale import checked_scale, parts

CALL_ROWS_PER_UNIT = 100_000
UNKNOWN_CUSTOMER_SHARE = 0.01

CALL_STATISTICS_COLUMNS = """
rev_Mean mou_Mean totmrc_Mean da_Mean ovrmou_Mean ovrrev_Mean vceovr_Mean datovr_Mean roam_Mean
change_mou change_rev drop_vce_Mean drop_dat_Mean blck_vce_Mean blck_dat_Mean unan_vce_Mean
unan_dat_Mean plcd_vce_Mean plcd_dat_Mean recv_vce_Mean recv_sms_Mean comp_vce_Mean
comp_dat_Mean custcare_Mean ccrndmou_Mean cc_mou_Mean inonemin_Mean threeway_Mean mou_cvce_Mean
mou_cdat_Mean mou_rvce_Mean owylis_vce_Mean mouowylisv_Mean iwylis_vce_Mean mouiwylisv_Mean
peak_vce_Mean peak_dat_Mean mou_peav_Mean mou_pead_Mean opk_vce_Mean opk_dat_Mean mou_opkv_Mean
mou_opkd_Mean drop_blk_Mean attempt_Mean complete_Mean callfwdv_Mean callwait_Mean churn months
uniqsubs actvsubs new_cell crclscod asl_flag totcalls totmou totrev adjrev adjmou adjqty avgrev
avgmou avgqty avg3mou avg3qty avg3rev avg6mou avg6qty avg6rev prizm_social_one area dualband
refurb_new hnd_price phones models hnd_webcap truck rv ownrent lor dwlltype marital adults
infobase income numbcars HHstatin dwllsize forgntvl ethnic kid0_2 kid3_5 kid6_10 kid11_15
kid16_17 creditcd eqpdays Customer_ID
""".split()


def call_statistics(
    spark: SparkSession, scale: int, seed: int, partitions: int | None = None
) -> DataFrame:
    """Return 100,000 rows of call statistics per scale unit in the 100 columns of the real file.

    A customer has 20 rows on average, at most about 60, and one in forty has none. Voice calls at
    peak time and off peak include completed and received calls, as in the real file. `partitions`
    sets the number of partitions (and files); it does not change the rows.
    """
    total = CALL_ROWS_PER_UNIT * checked_scale(scale)
    rows = spark.range(0, total, 1, partitions or parts(scale, 1.0, at_least=2))
    columns = {**usage_columns(), **subscriber_columns(), "Customer_ID": _customer_id(scale)}
    return with_amounts(with_draws(rows, scale, seed)).select(
        *(columns[name].alias(name) for name in CALL_STATISTICS_COLUMNS)
    )


def _customer_id(scale: int) -> Column:
    """100, then the customer number with leading zeros: 1000042 at scale 1.

    All identifiers of a scale have the same width, the smallest that its numbers need.
    """
    first_unknown = numbers_end(scale)
    unknown_count = first_unknown // 20
    stranger = F.pmod(F.col("stranger"), F.lit(unknown_count)) + first_unknown
    unknown = again(draw_of("handset"), 101) < UNKNOWN_CUSTOMER_SHARE
    number = F.when(unknown, stranger).otherwise(F.col("known_number"))
    width = max(4, len(str(first_unknown + unknown_count)))
    prefix: int = 100 * 10**width
    return number + prefix
