"""The Airflow DAG: `deploy-dag` uploads these modules, without the rest of the library."""
