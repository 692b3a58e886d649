"""Random draws that depend only on the seed and a key.

A stream is the name of a hash: the hashes of one key in two streams are independent.
"""

from collections.abc import Sequence

from pyspark.sql import Column
from pyspark.sql import functions as F

from runners.sample.expressions import Literal, item, whole

# Coprime to the row counts, so that multiplying by it (modulo the count) permutes the rows.
SHUFFLE_PRIME = 1_000_003


def seeded_hash(seed: int, stream: str, *keys: Column) -> Column:
    """Return a hash (bigint) of seed, stream and keys."""
    return F.xxhash64(F.lit(stream), F.lit(seed % 2**63).cast("long"), *keys)


def uniform(hashed: Column, slot: int) -> Column:
    """Return one of the four coarse draws (65,536 steps in [0, 1)) that a hash holds."""
    # Unsigned shifts give the same, but Sail has no bigint for what they make of a negative one:
    # SELECT shiftrightunsigned(-1L, 0) & 65535.
    return F.shiftright(hashed, 16 * slot).bitwiseAND(65535) / 65536.0


def fine_uniform(hashed: Column) -> Column:
    """Return one draw of 2^40 steps in [0, 1)."""
    return F.pmod(hashed, F.lit(2**40)) / float(2**40)


def normal(hashed: Column) -> Column:
    """Return an approximately standard normal draw, the sum of four uniform ones.

    Its absolute value never exceeds 3.5.
    """
    total = sum((uniform(hashed, slot) for slot in range(1, 4)), uniform(hashed, 0))
    return (total - 2.0) * 3**0.5


def again(draw: Column, factor: int) -> Column:
    """Return another draw derived from a draw, for columns that may depend on it."""
    return (draw * float(factor)) % 1.0


def around(draw: Column, width: float) -> Column:
    """Return a factor around one, from a uniform draw."""
    return F.exp((draw - 0.5) * width)


def around_by(draw: Column, deviation: float) -> Column:
    """Return a factor around one with this standard deviation (of its log), from a uniform draw.

    It never exceeds 1.8 deviations.
    """
    return around(draw, deviation * 12**0.5)


def pick(values: Sequence[Literal], draw: Column) -> Column:
    """Return one of the values, with equal probability, from a uniform draw."""
    return item(values, whole(draw * len(values)))


def chance(draw: Column, share: float) -> Column:
    """Return Yes for this share (0 to 1) of the uniform draws, else No."""
    return F.when(draw < share, "Yes").otherwise("No")


def shuffled(number: Column, total: int, seed: int, prime: int = SHUFFLE_PRIME) -> Column:
    """Permute the numbers 0 to total - 1 (bigint)."""
    return (number * prime + seed % total) % total
