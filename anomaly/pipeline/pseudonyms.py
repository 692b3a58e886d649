"""Published customer numbers as keyed hashes: HMAC-SHA256, the key known to the operator alone.

Without a key, a hash of a customer number hides nothing: all numbers are hashed within seconds, and
compared. The key is data of a frame with one row, never a part of an expression: plans, event logs
and messages show expressions, but not rows.
"""

import hashlib

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from anomaly.schema.inputs import CALL_STATISTICS, CUSTOMERS

# The schema of the frame that carries a key: spark.createDataFrame([key_blocks(KEY)], KEY_BLOCKS).
KEY_BLOCKS = "inner_block binary, outer_block binary"
BLOCK_BYTES = 64

# The inputs whose rows are about a person.
PERSONAL = (CUSTOMERS, CALL_STATISTICS)


def key_blocks(key: bytes) -> tuple[bytes, bytes]:
    """A key as the two blocks that are hashed before the message: K XOR ipad, K XOR opad.

    RFC 2104, section 2 (https://www.rfc-editor.org/rfc/rfc2104): SHA-256 takes blocks of 64 bytes;
    a longer key is hashed first, a shorter one filled up with zeros.
    """
    whole = hashlib.sha256(key).digest() if len(key) > BLOCK_BYTES else key
    padded = whole.ljust(BLOCK_BYTES, b"\0")
    return bytes(byte ^ 0x36 for byte in padded), bytes(byte ^ 0x5C for byte in padded)


def hash_customers(frame: DataFrame, key: DataFrame | None) -> DataFrame:
    """The frame with the hash of each customerID in its place; as it is without a key.

    RFC 2104, section 2: H(K XOR opad, H(K XOR ipad, text)), where the text is the number in decimal
    digits; the hash is text, too, 64 small hexadecimal digits. NULL stays NULL. `key` is of
    KEY_BLOCKS, with one row.
    """
    if key is None:
        return frame
    text = F.col("customerID").cast("string").cast("binary")
    inner = F.unhex(F.sha2(F.concat("inner_block", text), 256))
    hashed = F.sha2(F.concat("outer_block", inner), 256)
    return (
        # Each row to the one key.
        frame.join(F.broadcast(key), how="cross")
        .withColumn("customerID", hashed)
        .drop("inner_block", "outer_block")
        # Rows lie where their numbers have put them, in files and within them: that would tell
        # something about the numbers.
        .repartition("customerID")
        .sortWithinPartitions("customerID")
    )


def withhold_texts(rejected: DataFrame, key: DataFrame | None) -> DataFrame:
    """Rejected rows without the texts of inputs that are about persons; as they are without a key.

    What an operator finds a row or value by stays: file, row and column.
    """
    return rejected if key is None else withheld_texts(rejected)


def withheld_texts(rejected: DataFrame) -> DataFrame:
    """Rejected rows without the texts of inputs that are about persons."""
    is_personal = F.col("source").isin(*PERSONAL)
    texts = {name: F.when(~is_personal, F.col(name)) for name in ("raw_value", "raw_row")}
    return rejected.withColumns(texts)
