"""The DAG of Airflow; `deploy-dag` uploads this folder, where nothing else of the library is."""
