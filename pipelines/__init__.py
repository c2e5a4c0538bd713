"""What SageMaker is asked to do: settings, the pipeline's definition, publishing it, watching it."""
