from django.contrib import admin
from django.urls import include, path

from accounts.logins import one_at_a_time
from config import away
from rooms import errors

handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found
handler500 = away.failed

urlpatterns = [
    path("", include("phone.urls")),
    path("", include("rooms.urls")),
    path("accounts/", include("accounts.urls")),
    path("accounts/tokens/", include("topics.tokens.urls")),
    path("topics/", include("topics.urls")),
    path("docs/", include("topics.documents.urls")),
    path("admin/login/", one_at_a_time(admin.site.login)),
    path("admin/", admin.site.urls),
]
