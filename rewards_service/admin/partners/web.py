"""Pages of partners, programmes and rules."""

from rewards_service.admin.partners import (
    editor_routes,
    partners_routes,
    programs_routes,
    rules_routes,
    settling_routes,
)

# The modules after the first of each line publish on its blueprint.
_PAGES = (
    (partners_routes, settling_routes),
    (programs_routes, rules_routes, editor_routes),
)
BLUEPRINTS = tuple(first.blueprint for first, *_ in _PAGES)
