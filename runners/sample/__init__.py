"""Made-up inputs of any size in the exact schemas of the real ones, with known faults.

Every value is a pure function of (seed, key, column): keys are hashed, hashes become uniform and
normal draws. So the rows depend neither on partitioning nor on the order of execution, which
`rand()` cannot promise. One scale unit is as large as the real data: 4,930 customers on 48 cells,
33 cells of two bands with about 36,000 samples, 100,000 rows of call statistics, and one cell of
each fault. Healthy cells differ, too: in load, in their customers' calls and between the bands.
"""

from runners.sample.call_table import call_statistics
from runners.sample.customer_table import customers
from runners.sample.faults import truth
from runners.sample.sample_table import samples
from runners.sample.writing import short_methods, write_sample

__all__ = ["call_statistics", "customers", "samples", "short_methods", "truth", "write_sample"]
