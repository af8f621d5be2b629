"""Django: complaints in Django's own database, each reported to the service once it is committed.

    STRIKEOUT_URL=http://127.0.0.1:8080 STRIKEOUT_KEY_FILE=key.txt python embed_django.py runserver

All in one file, to be read at once; in a project, settings, model and views have files of their own. What could not be
reported, because the service was away, stays marked in the table and is reported by `report_all`, from cron say.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path

import django
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1", "testserver"],
    DATABASES={
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ.get("DJANGO_DB", "complaints.sqlite3")}
    },
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    ROOT_URLCONF=__name__,
    USE_TZ=True,
)
django.setup()

from django.db import models, transaction  # noqa: E402
from django.http import HttpRequest, HttpResponse, JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402
from django.utils import timezone  # noqa: E402

from strikeout.client import Client, ServiceUnreachable, Unavailable  # noqa: E402

LOG = os.environ.get("STRIKEOUT_LOG", "taobao")


@cache
def strikeout() -> Client:
    """The client of this process: its methods may be called from any thread."""
    key = Path(os.environ["STRIKEOUT_KEY_FILE"]).read_text(encoding="utf-8")
    return Client(os.environ["STRIKEOUT_URL"], key, timeout=5)


class Complaint(models.Model):
    seller = models.CharField(max_length=100)
    complainant = models.CharField(max_length=100)
    right = models.CharField(max_length=100)
    decided_at = models.DateTimeField(default=timezone.now)
    reported = models.BooleanField(default=False)

    class Meta:
        app_label = "complaints"

    def report(self) -> None:
        fact = {
            "kind": "upheld",
            "at": self.decided_at,
            "seller": self.seller,
            "complaint": str(self.pk),
            "complainant": self.complainant,
            "right": self.right,
            "finding": "counterfeit",
        }
        strikeout().append(LOG, fact, key=f"complaint-{self.pk}")
        # Where this is not reached, the same key is sent again later, and the fact is there once.
        Complaint.objects.filter(pk=self.pk).update(reported=True)


def report_all() -> int:
    """Report what is not reported yet."""
    waiting = list(Complaint.objects.filter(reported=False).order_by("pk"))
    for complaint in waiting:
        complaint.report()
    return len(waiting)


def uphold(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        complaint = Complaint.objects.create(
            **{name: request.POST[name] for name in ("seller", "complainant", "right")}
        )
    try:
        complaint.report()
    except (ServiceUnreachable, Unavailable):
        return JsonResponse({"complaint": complaint.pk, "reported": False}, status=202)
    return JsonResponse({"complaint": complaint.pk, "reported": True}, status=201)


def seller(request: HttpRequest, name: str) -> HttpResponse:
    decision = strikeout().decide(LOG, name)
    return JsonResponse({"status": decision.status, "since": decision.since, "as_of": decision.as_of})


urlpatterns = [path("upheld", uphold), path("sellers/<str:name>", seller)]

if __name__ == "__main__":
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
