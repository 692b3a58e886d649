"""The names that expressions have in Java, found once.

Py4J has Java look for a name at each use, and for a short one in every package that it knows, which
are in hundreds of jars. A run makes some thousands of expressions, so that took it seconds.
"""

from functools import reduce
from typing import Any

from pyspark import SparkContext

OF_EXPRESSIONS = (
    "functions",
    "Column",
    "PythonUtils",
    "PythonSQLUtils",
    "java",
    "py4j.reflection.TypeUtil",
    "org.apache.spark.sql.catalyst.expressions",
)
# Each of their methods is a name of its own, which Java is asked for as well.
WITH_METHODS = ("functions", "PythonUtils")


def find_names_once() -> None:
    """Have Py4J keep what it finds of OF_EXPRESSIONS, for as long as Java runs.

    Does nothing where there is no Java, as in a session of Spark Connect.
    """
    jvm = getattr(SparkContext._gateway, "jvm", None)
    if jvm is None or "functions" in vars(jvm):
        return
    for path in OF_EXPRESSIONS:
        reduce(_kept, path.split("."), jvm)
    for name in WITH_METHODS:
        of_class = getattr(jvm, name)
        for method in dir(of_class):
            _kept(of_class, method)


def _kept(within: Any, name: str) -> Any:
    # An object of Py4J asks Java for an attribute that it does not have itself.
    found = getattr(within, name)
    setattr(within, name, found)
    return found
