"""Sends runs to Dataproc Serverless as batches, and follows them."""
