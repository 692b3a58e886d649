"""Made-up inputs of any size in the exact schemas of the real ones, with known faults.

Every value is a pure function of (seed, key, column): keys are hashed, and hashes become uniform
and normal draws. So, unlike with `rand()`, the rows do not depend on partitioning or on the order
of execution. One scale unit has the size of the real data: 4,930 customers on 48 cells, 33 cells of
two bands with about 36,000 samples, 100,000 rows of call statistics, and one cell with each fault.
Healthy cells differ as well: in load, in the calls of their customers, and between the bands.
"""

from runners.sample.call_table import call_statistics
from runners.sample.customer_table import customers
from runners.sample.faults import truth
from runners.sample.sample_table import samples
from runners.sample.writing import short_methods, write_sample

__all__ = ["call_statistics", "customers", "samples", "short_methods", "truth", "write_sample"]
