"""One interface, one file a model or a close pair. Take models from :mod:`aicine_utils.models.registry`."""
