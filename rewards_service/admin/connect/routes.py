"""Everything about connected sites, on one blueprint: importing a module publishes its pages."""

from rewards_service.admin.connect import (  # noqa: F401
    adding,
    health_routes,
    history_routes,
    key_routes,
    polling_routes,
    reconciliation_routes,
    settings_routes,
    webhook_routes,
)
from rewards_service.admin.connect.frame import blueprint

__all__ = ("blueprint",)
