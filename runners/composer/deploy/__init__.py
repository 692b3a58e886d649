"""Deploys the Airflow DAG, and the code of its batches, to Cloud Composer."""
