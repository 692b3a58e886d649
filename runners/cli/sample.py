"""Makes sample data: three inputs with known faults."""

import argparse

from runners.engines.session import local_session
from runners.sample import write_sample


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `sample`."""
    parser.add_argument(
        "--scale", type=int, default=1, help="size; 1 is 36,000 samples and 100,000 call rows"
    )
    parser.add_argument("--seed", type=int, default=42, help="the same seed gives the same data")
    parser.add_argument("--out", required=True, help="folder for the three inputs and truth.csv")
    parser.add_argument("--format", choices=("csv", "parquet"), default="csv")
    parser.add_argument("--master", help="Spark master (default: local[*], every core)")


def run(options: argparse.Namespace) -> None:
    """Write the inputs, and the truth about their faults."""
    spark = local_session(options.master)
    write_sample(spark, options.scale, options.seed, options.out, options.format)
    print(f"Sample data: {options.out}")
