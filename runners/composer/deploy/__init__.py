"""Deploys the DAG of Airflow, and the code of its batches, to Cloud Composer."""
