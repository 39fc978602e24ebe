"""What people may do, by their role. What stands in no set is allowed to nobody (pure)."""

OWNER, MANAGER, FINANCE, VIEWER = "owner", "manager", "finance", "viewer"
ROLES = (OWNER, MANAGER, FINANCE, VIEWER)
EXPLAINED = {
    OWNER: "Everything, also users, connections and settings.",
    MANAGER: "Partners, programmes, leads, deals and the review of rewards.",
    FINANCE: "Payouts and everything that explains them; changes nothing else.",
    VIEWER: "Looks at everything that is business, changes nothing.",
}

# Pages for anybody, signed in or not, and for everybody who is signed in.
PUBLIC, SIGNED_IN = "public", "signed_in"

_READ = {
    "overview:read", "rewards:read", "payouts:read", "partners:read", "programs:read", "crm:read",
    "transactions:read", "events:read", "integrations:read", "reports:read", "exports:read",
}  # fmt: skip
_WRITE = {
    "rewards:write", "payouts:write", "partners:write", "programs:write", "crm:write",
    "events:replay", "conflicts:write", "integrations:write", "webhooks:write", "queue:write",
    "keys:write", "users:write", "settings:write", "setup:write",
}  # fmt: skip
_INSIDE = {"queue:read", "audit:read", "keys:read", "webhooks:read", "users:read", "settings:read"}
PERMISSIONS = frozenset(_READ | _WRITE | _INSIDE)

OF_ROLE: dict[str, frozenset[str]] = {
    OWNER: PERMISSIONS,
    MANAGER: frozenset(
        _READ
        | {"audit:read", "queue:read"}
        | {"rewards:write", "partners:write", "programs:write", "crm:write", "conflicts:write",
           "events:replay"}
    ),
    FINANCE: frozenset(_READ | {"audit:read", "payouts:write"}),
    VIEWER: frozenset(_READ),
}  # fmt: skip


def may(role: str | None, permission: str) -> bool:
    """Whether somebody of this role (None: not signed in) may do this."""
    if permission == PUBLIC:
        return True
    if role is None:
        return False
    return permission == SIGNED_IN or permission in OF_ROLE.get(role, frozenset())
