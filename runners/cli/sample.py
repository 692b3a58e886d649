"""Makes sample data: three inputs with known faults."""

import argparse

from runners.sample import write_sample
from runners.services.sessions import session_at


def run(options: argparse.Namespace) -> None:
    """Write the inputs, and the truth about their faults."""
    spark = session_at(options)
    write_sample(spark, options.scale, options.seed, options.out, options.format)
    print(f"Sample data: {options.out}")
