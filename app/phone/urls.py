from django.urls import path

from phone import views

urlpatterns = [
    path("worker.js", views.worker, name="worker"),
    path("manifest.webmanifest", views.manifest, name="manifest"),
    path("offline/", views.offline, name="offline"),
    path("push/", views.push, name="push"),
    path("push/end/", views.end, name="push-end"),
    path("room/<room:name>/notify/", views.notify, name="notify"),
]
