"""The page about a room: what it is, who is in it, and what those who keep order there can change."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils.translation import gettext as _

from rooms import belonging, invitations, membership
from rooms.forms import AddForm, InviteForm
from rooms.models import Kind, Member, Role, Room
from rooms.pages import SeeOther, remembered, room_page, show
from rooms.roles import role_of
from topics import Person, Refused

SHOWN: Final = 100  # people on a page
STATUS: Final = {"forbidden": HTTPStatus.FORBIDDEN, "gone": HTTPStatus.NOT_FOUND, "full": HTTPStatus.CONFLICT}


class Asked(NamedTuple):
    """Who looks at which room, and as what."""

    request: HttpRequest
    person: Person
    name: str
    kind: str
    role: Role | None

    @property
    def leads(self) -> bool:
        """Owners, and staff: a room may have no owner."""
        return self.role == Role.OWNER or is_staff(self.request)

    @property
    def keeps(self) -> bool:
        return self.leads or self.role == Role.MODERATOR

    @property
    def adds(self) -> bool:
        """To a closed room members, to an open one moderators, as everybody else may come in anyway."""
        return {Kind.CLOSED: self.keeps, Kind.OPEN: self.leads}.get(Kind(self.kind), False)

    @property
    def invites(self) -> bool:
        return self.kind == Kind.CLOSED and self.keeps

    def may_remove(self, member: Member) -> bool:
        if self.kind == Kind.DIRECT or member.role == Role.OWNER:
            return False
        return self.leads or (self.role == Role.MODERATOR and member.role == Role.MEMBER)

    def member(self) -> Member:
        """Whom the form is about. Raises Refused."""
        pk = self.request.POST.get("member", "")
        found = pk.isascii() and pk.isdigit() and Member.objects.filter(room__name=self.name, pk=int(pk[:18])).first()
        if not found:
            raise Refused(_("That is no member any more."), code="gone")
        return found


def is_staff(request: HttpRequest) -> bool:
    return bool(request.user.is_active and getattr(request.user, "is_staff", False))


@room_page
def about(request: HttpRequest, person: Person, name: str) -> HttpResponse:
    kind = Room.objects.filter(name=name).values_list("kind", flat=True).first() or Kind.OPEN
    asked = Asked(request, person, name, kind, role_of(name, person))
    if request.method != "POST":
        return shown(asked)
    try:
        answer = ACTIONS.get(request.POST.get("do", ""), nothing)(asked)
    except Refused as refusal:
        return shown(asked, STATUS.get(refusal.code, HTTPStatus.UNPROCESSABLE_ENTITY), refused=str(refusal))
    return answer or remembered(SeeOther(resolve_url("about", name)), person)


def shown(asked: Asked, status: int = HTTPStatus.OK, **more: Any) -> HttpResponse:
    people = Member.objects.filter(room__name=asked.name).select_related("user")
    page = Paginator(people.order_by("-role", "since", "pk"), SHOWN).get_page(asked.request.GET.get("page"))
    context = {
        "room": asked.name,
        "title": belonging.title_of(asked.name, asked.person),
        "asked": asked,
        "people": page,
        "lines": [Line(one, asked) for one in page],
        "invitations": invitations.of_room(asked.name) if asked.invites else [],
        "inviting": InviteForm(),
    }
    form = more.pop("form", None) or AddForm()
    return show(asked.request, asked.person, "rooms/about.html", form, status, **context | more)


class Line:
    """A member, and what can be done about her by whoever looks."""

    def __init__(self, member: Member, asked: Asked) -> None:
        self.key, self.role, self.kind = member.pk, Role(member.role), asked.kind
        self.name = member.user.get_username()
        self.is_you = member.user_id == asked.person.user_id
        leads = asked.leads and asked.kind != Kind.DIRECT and member.role != Role.OWNER
        self.removable = not self.is_you and asked.may_remove(member)
        self.can_moderate = leads and member.role == Role.MEMBER
        self.can_be_member = leads and member.role == Role.MODERATOR and asked.kind == Kind.CLOSED
        self.can_own = leads


# --- What can be done ----------------------------------------------------------------------------------


def allowed(yes: bool) -> None:
    """Raises Refused."""
    if not yes:
        raise Refused(_("You may not do that in this room."), code="forbidden")


def nothing(asked: Asked) -> None:
    allowed(False)


def add(asked: Asked) -> HttpResponse | None:
    allowed(asked.adds)
    form = AddForm(asked.request.POST)
    if form.is_valid():
        role = Role.MEMBER if asked.kind == Kind.CLOSED else Role.MODERATOR
        membership.add(asked.name, form.user, role)
        return None
    return shown(asked, form=form)


def remove(asked: Asked) -> None:
    member = asked.member()
    allowed(asked.may_remove(member))
    membership.remove(asked.name, member)


def leave(asked: Asked) -> HttpResponse:
    member = Member.objects.filter(room__name=asked.name, user=asked.person.user_id).first()
    if asked.role is None or member is None:
        raise Refused(_("You are no member of this room."), code="gone")
    membership.remove(asked.name, member)
    return SeeOther(resolve_url("lobby"))


def appoint(asked: Asked, role: Role) -> None:
    allowed(asked.leads and asked.kind != Kind.DIRECT)
    membership.appoint(asked.name, asked.member(), role)


def hand_on(asked: Asked) -> None:
    allowed(asked.leads and asked.kind != Kind.DIRECT)
    membership.hand_on(asked.name, asked.member())


def invite(asked: Asked) -> HttpResponse:
    """The answer is the only page that ever shows the link."""
    allowed(asked.invites)
    form = InviteForm(asked.request.POST)
    if not form.is_valid():
        return shown(asked, HTTPStatus.UNPROCESSABLE_ENTITY, inviting=form)
    secret = invitations.make(asked.name, asked.request.user, form.lasting, form.cleaned_data["uses"])
    return shown(asked, link=asked.request.build_absolute_uri(resolve_url("join", secret)))


def revoke(asked: Asked) -> None:
    allowed(asked.invites)
    key = asked.request.POST.get("invitation", "")
    if key.isascii() and key.isdigit():
        invitations.revoke(asked.name, int(key[:18]))


ACTIONS: Final[dict[str, Callable[[Asked], HttpResponse | None]]] = {
    "add": add,
    "remove": remove,
    "leave": leave,
    "moderate": lambda asked: appoint(asked, Role.MODERATOR),
    "unmoderate": lambda asked: appoint(asked, Role.MEMBER),
    "hand_on": hand_on,
    "invite": invite,
    "revoke": revoke,
}
