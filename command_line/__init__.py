"""The commands of run_pipeline.py and deploy_model.py, and how they print."""
