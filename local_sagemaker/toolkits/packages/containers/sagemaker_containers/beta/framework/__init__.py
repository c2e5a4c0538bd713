"""What scripts import: content_types, encoders, errors and worker; env, modules and transformer can be named."""

from . import content_types, encoders, env, errors, modules, transformer, worker

__all__ = ["content_types", "encoders", "env", "errors", "modules", "transformer", "worker"]
