"""Jobs as processes: the SageMaker container contract on this machine, without Docker."""
