"""The KPIs of a sample by what they measure, and the bounds that physics sets to them.

Throughput is what the cell carried, in all: so the publisher of the rows says, and so they look,
for it follows the resource blocks in use (correlation 0.8) and sinks at night.
"""

import pandas as pd

PRB_UL, PRB_DL = "PRBUsageUL", "PRBUsageDL"
MEAN_THROUGHPUT_DL, MEAN_THROUGHPUT_UL = "meanThr_DL", "meanThr_UL"
MOST_THROUGHPUT_DL, MOST_THROUGHPUT_UL = "maxThr_DL", "maxThr_UL"
MEAN_USERS_DL, MEAN_USERS_UL = "meanUE_DL", "meanUE_UL"
MOST_USERS_DL, MOST_USERS_UL, MOST_USERS_BOTH = "maxUE_DL", "maxUE_UL", "maxUE_UL+DL"

PRB = [PRB_UL, PRB_DL]
MEAN_THROUGHPUT = [MEAN_THROUGHPUT_DL, MEAN_THROUGHPUT_UL]
THROUGHPUT_DL = [MEAN_THROUGHPUT_DL, MOST_THROUGHPUT_DL]
THROUGHPUT_UL = [MEAN_THROUGHPUT_UL, MOST_THROUGHPUT_UL]
MOST_USERS = [MOST_USERS_DL, MOST_USERS_UL, MOST_USERS_BOTH]
USERS = [MEAN_USERS_DL, MEAN_USERS_UL, *MOST_USERS]
# In the order of the published rows.
KPIS = [*PRB, *MEAN_THROUGHPUT, MOST_THROUGHPUT_DL, MOST_THROUGHPUT_UL, *USERS]
# What grows with how busy a cell is. The best moments of throughput tell how good the radio is.
LOAD = [*PRB, *MEAN_THROUGHPUT, *USERS]

MEAN_AND_MOST = {
    MEAN_THROUGHPUT_DL: MOST_THROUGHPUT_DL,
    MEAN_THROUGHPUT_UL: MOST_THROUGHPUT_UL,
    MEAN_USERS_DL: MOST_USERS_DL,
    MEAN_USERS_UL: MOST_USERS_UL,
}


def physical(samples: pd.DataFrame) -> pd.DataFrame:
    """Bring what factors have moved back into bounds: shares of 100 %, whole users, mean <= most.

    Three decimals, as the real rows have.
    """
    bounded = samples.copy()
    bounded[KPIS] = samples[KPIS].clip(lower=0)
    bounded[PRB] = bounded[PRB].clip(upper=100)
    bounded[MOST_USERS] = bounded[MOST_USERS].round()
    bounded[MOST_USERS_BOTH] = bounded[MOST_USERS_DL] + bounded[MOST_USERS_UL]
    for mean, most in MEAN_AND_MOST.items():
        bounded[mean] = bounded[[mean, most]].min(axis=1, skipna=False)
    bounded[KPIS] = bounded[KPIS].round(3)
    return bounded
