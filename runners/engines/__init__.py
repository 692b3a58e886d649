"""Engines that execute frames: Apache Spark, and Sail."""
