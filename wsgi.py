"""What a WSGI server imports: `wsgi:app`."""

from rewards_service.cli.web import app

__all__ = ["app"]
