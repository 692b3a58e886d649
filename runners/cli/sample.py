"""Makes sample data: three inputs with known faults."""

import argparse

from runners.sample import write_sample
from runners.services.sessions import add_engine_arguments, session_at


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `sample`."""
    parser.add_argument(
        "--scale", type=int, default=1, help="size; 1 is 36,000 samples and 100,000 call rows"
    )
    parser.add_argument("--seed", type=int, default=42, help="the same seed gives the same data")
    parser.add_argument("--out", required=True, help="folder for the three inputs and truth.csv")
    parser.add_argument("--format", choices=("csv", "parquet"), default="csv")
    add_engine_arguments(parser)


def run(options: argparse.Namespace) -> None:
    """Write the inputs, and the truth about their faults."""
    spark = session_at(options)
    write_sample(spark, options.scale, options.seed, options.out, options.format)
    print(f"Sample data: {options.out}")
