"""The worker: judges comments. The service owns the record, the worker the judgement."""
