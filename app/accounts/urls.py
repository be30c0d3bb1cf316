from django.contrib.auth.views import LogoutView
from django.urls import path

from accounts import own, views
from accounts.logins import one_at_a_time

urlpatterns = [
    path("", own.account, name="account"),
    path("login/", one_at_a_time(views.LogIn.as_view()), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("sign-up/", one_at_a_time(views.sign_up), name="sign-up"),
    path("password/", one_at_a_time(views.Password.as_view()), name="password"),
    path("reset/", views.Reset.as_view(), name="reset"),
    path("reset/sent/", views.reset_sent, name="reset-sent"),
    path("reset/<uidb64>/<token>/", one_at_a_time(views.NewPassword.as_view()), name="new-password"),
    path("email/", one_at_a_time(own.email), name="email"),
    path("delete/", one_at_a_time(own.delete), name="delete-account"),
    path("sessions/end/", own.end_sessions, name="end-sessions"),
    path("sessions/<int:pk>/end/", own.end_session, name="end-session"),
]
