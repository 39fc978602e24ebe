"""API keys: hashed, scoped, revocable."""

from datetime import datetime
from typing import Any

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import Base, BigKey, Json, UtcDateTime


class ApiKey(Base):
    """One key to /api/v1. Only a digest of its secret is kept; the secret is shown once.

    `public_part` names the key in the text `rk_<public_part>_<secret>` and finds it by index.
    """

    __tablename__ = "api_keys"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    name: Mapped[str]
    public_part: Mapped[str] = mapped_column(unique=True)
    secret_digest: Mapped[bytes] = mapped_column(LargeBinary)
    scopes: Mapped[Any] = mapped_column(Json)  # list of scope names
    # The one partner whose rows the key may see; partners live a floor up: no foreign key here.
    partner_id: Mapped[int | None] = mapped_column(BigKey, index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # None: does not expire
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
