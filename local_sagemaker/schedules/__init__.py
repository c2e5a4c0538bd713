"""EventBridge Scheduler: schedules that are kept, and that call SageMaker, functions, builds and queues in time."""
