"""Runs on Dataproc Serverless: submits them as batches, and follows them."""
