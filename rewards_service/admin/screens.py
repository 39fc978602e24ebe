"""Who may open what is not drawn by a view of ours: files, and Flask-Security's screens."""

from rewards_service.accounts.permissions import PUBLIC, SIGNED_IN

# One that is missing here is closed.
_OPEN = ("login", "two_factor_token_validation", "tf_select", "mf_recovery", "wan_signin",
         "wan_signin_response")  # fmt: skip
_OWN = ("logout", "verify", "change_password", "two_factor_setup", "two_factor_setup_validate",
        "mf_recovery_codes", "wan_register", "wan_register_response", "wan_delete", "wan_verify",
        "wan_verify_response")  # fmt: skip
OF_ENDPOINT = {
    "admin.static": PUBLIC,
    **{f"security.{name}": PUBLIC for name in _OPEN},
    **{f"security.{name}": SIGNED_IN for name in _OWN},
}
