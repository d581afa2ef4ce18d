"""Whether this process can do its work: one query, no secrets in the answer."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse

from patients.privacy.pages import Audience, page


@page(audience=Audience.PUBLIC)
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 while the database answers, 503 otherwise."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"database": "unreachable"}, status=503)
    return JsonResponse({"database": "ok"})
