"""Who has which part in a room. Accounts only: a guest has no lasting identity, so asking about one takes no query."""

from django.contrib.auth import get_user_model

from rooms.models import Member, Role
from topics import Person

__all__ = ["Role", "has_account", "moderates", "role_of"]


def has_account(person: Person) -> bool:
    return not person.guest and person.user_id is not None


def role_of(room_name: str, person: Person) -> Role | None:
    """None for whoever is no member. One query."""
    if not has_account(person):
        return None
    found = Member.objects.filter(room__name=room_name, user=person.user_id).values_list("role", flat=True).first()
    return None if found is None else Role(found)


def moderates(room_name: str, person: Person) -> bool:
    """Whether she keeps order there: the owner, the moderators, and the site's staff, in each room. Two queries."""
    if not has_account(person):
        return False
    if role_of(room_name, person) in (Role.OWNER, Role.MODERATOR):
        return True
    users = get_user_model()._default_manager
    return users.filter(pk=person.user_id, is_active=True, is_staff=True).exists()
