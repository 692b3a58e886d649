"""Apache Spark: session, Java, reading, keeping."""
