"""Who a customer is: the cell, the number and the identifier, from the position in the table."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from runners.sample.cells import CUSTOMER_CELLS_PER_UNIT
from runners.sample.draws import fine_uniform, seeded_hash, shuffled, uniform
from runners.sample.expressions import quotient, whole

CUSTOMERS_PER_UNIT = 4_930

# The number of identifiers of four digits and five letters; the prime, coprime to it, permutes
# them.
CUSTOMER_IDS = 10_000 * 26**5
CUSTOMER_ID_PRIME = 73_086_421_411


def customer_place(seed: int, position: Column) -> tuple[Column, Column]:
    """Return `unit` and `cell` of a customer; the first cells of a unit have twice as many."""
    unit = quotient(position, CUSTOMERS_PER_UNIT)
    crowded_first = F.pow(fine_uniform(seeded_hash(seed, "place", position)), F.lit(1.2))
    rank = whole(crowded_first * CUSTOMER_CELLS_PER_UNIT)
    shift = F.pmod(seeded_hash(seed, "crowd", unit), F.lit(CUSTOMER_CELLS_PER_UNIT))
    cell = (rank * 7 + shift) % CUSTOMER_CELLS_PER_UNIT
    return unit.alias("unit"), cell.alias("cell")


def customer_number(seed: int, position: Column) -> Column:
    """Return the customer number (bigint).

    Seven of every ten numbers are used, with three gaps whose positions depend on the hash.
    """
    block = quotient(position, 7)
    place = position % 7
    hashed = seeded_hash(seed, "gaps", block)
    gaps = [whole(uniform(hashed, slot) * 8) for slot in range(3)]
    number = block * 10 + place
    for gap in gaps:
        number = number + F.when(gap <= place, 1).otherwise(0)
    return number


def numbers_end(scale: int) -> int:
    """Return the end of the customer numbers of this scale (units), exclusive."""
    return -(-CUSTOMERS_PER_UNIT * scale // 7) * 10


def customer_id(seed: int, position: Column) -> Column:
    """Return four digits and five letters, such as 4906-ZHGPK; one to one, hence unique."""
    code = shuffled(position, CUSTOMER_IDS, seed, CUSTOMER_ID_PRIME)
    digits = F.lpad(quotient(code, 26**5).cast("string"), 4, "0")
    base_26 = F.conv((code % 26**5).cast("string"), 10, 26)
    letters = F.translate(
        F.lpad(base_26, 5, "0"), "0123456789ABCDEFGHIJKLMNOP", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    )
    return F.concat(digits, F.lit("-"), letters)
