"""A Django site of one file with dj-stripe, run by the interpreter of its own environment.

As a program it makes its tables and customers; gunicorn serves `djstripe_site:application`.
dj-stripe reads a charge again from Stripe's API when it hears of one. There is no Stripe here, so
it is given the object of the event, at once: that is in its favour.
"""

import os
import threading
import uuid
from typing import Any

import django
from django.conf import settings

ENDPOINT = uuid.UUID(int=7)
API_KEY = "sk_test_" + "0" * 24

settings.configure(
    SECRET_KEY="for benchmarks only",  # noqa: S106
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "djstripe"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql", "NAME": os.environ["PEER_DATABASE"],
            "HOST": os.environ["PEER_HOST"], "USER": os.environ["PEER_USER"],
            "CONN_MAX_AGE": 3_600,
        }
    },
    STRIPE_TEST_SECRET_KEY=API_KEY,
    STRIPE_LIVE_MODE=False,
    DJSTRIPE_FOREIGN_KEY_TO_FIELD="id",
    LOGGING={
        "version": 1,
        "handlers": {"stderr": {"class": "logging.StreamHandler"}},
        "loggers": {
            "djstripe": {"level": "CRITICAL"},
            "django.request": {"level": "ERROR", "handlers": ["stderr"], "propagate": False},
        },
    },
)  # fmt: skip
django.setup()

import stripe  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import include, path  # noqa: E402
from djstripe import models, signals  # noqa: E402

urlpatterns = [path("stripe/", include("djstripe.urls", namespace="djstripe"))]
_current = threading.local()


def _remember(sender: Any, instance: Any, **_: Any) -> None:
    _current.object = instance.json_body["data"]["object"]


def _retrieve(self: Any, *_: Any, **__: Any) -> Any:
    return stripe.Charge.construct_from(_current.object, API_KEY)


signals.webhook_pre_process.connect(_remember, weak=False)
models.Charge.api_retrieve = _retrieve
application = get_wsgi_application()


def make() -> None:
    """Tables, the account, the webhook with its secret, and PEER_PAYERS customers."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    account, _ = models.Account.objects.get_or_create(
        id="acct_bench",
        defaults={"livemode": False, "stripe_data": {"id": "acct_bench", "object": "account"}},
    )
    models.APIKey.objects.get_or_create(
        secret=API_KEY,
        defaults={"type": "secret", "livemode": False, "djstripe_owner_account": account},
    )
    models.WebhookEndpoint.objects.get_or_create(
        djstripe_uuid=ENDPOINT,
        defaults={
            "id": "we_bench", "secret": os.environ["PEER_SECRET"], "livemode": False,
            "djstripe_owner_account": account, "enabled_events": ["*"],
            "djstripe_validation_method": "verify_signature", "stripe_data": {"id": "we_bench"},
        },
    )  # fmt: skip
    customers = [
        models.Customer(
            id=f"cus_{payer}", livemode=False, djstripe_owner_account=account,
            stripe_data={"id": f"cus_{payer}", "object": "customer"},
        )
        for payer in range(int(os.environ["PEER_PAYERS"]))
    ]  # fmt: skip
    models.Customer.objects.bulk_create(customers, ignore_conflicts=True)


if __name__ == "__main__":
    make()
