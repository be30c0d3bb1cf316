from django.urls import path, re_path
from django.views.i18n import set_language

from rooms import about, attachments, converters, errors, inviting, talking, views  # noqa: F401  (converters registers `room`)
from rooms.moderation import about as about_message
from rooms.moderation import views as moderation

urlpatterns = [
    path("", views.lobby, name="lobby"),
    path("rooms/", views.listed, name="listed"),
    path("name/", views.rename, name="rename"),
    path("language/", set_language, name="language"),
    path("search/", views.search, name="search"),
    path("room/<room:name>/", talking.room, name="room"),
    path("room/<room:name>/<int:seq>/", talking.change, name="change"),
    path("room/<room:name>/<int:seq>/react/", talking.react, name="react"),
    path("room/<room:name>/about/", about.about, name="about"),
    path("room/<room:name>/<int:seq>/about/", about_message.about, name="about-message"),
    path("room/<room:name>/order/", moderation.keep, name="keep"),
    path("room/<room:name>/files/", attachments.begin, name="files"),
    path("room/<room:name>/files/<str:key>/", attachments.attachment, name="attachment"),
    path("room/<room:name>/files/<str:key>/preview/", attachments.preview, name="preview"),
    path("room/<room:name>/read/", views.read, name="read"),
    path("room/<room:name>/search/", views.search, name="search"),
    path("join/<slug:secret>/", inviting.join, name="join"),
    path("direct/", inviting.direct, name="direct"),
    # Whatever is no valid name: a sentence, also where DEBUG would show the list of routes.
    re_path(r"^room/(?:[\s\S]*/)?\Z", errors.not_found),
]
