"""What others have said before: run by `manage.py shell`, since in a browser nobody can say something an hour ago."""

from datetime import timedelta
from typing import Final

from django.contrib.auth import get_user_model
from django.utils import timezone

from rooms.moderation import reports, verbs
from rooms.topics import RoomTopic
from topics.models import Entry, Log
from topics.people import Person, of_user

PASSWORD: Final = "two copies of the summer book"
TALKS: Final = {
    "Book-club": [
        (190, "Olek", "I have finished the last chapter on the train. Nobody told me about the letter!"),
        (188, "Mei Lin", "We did promise not to 😇"),
        (120, "Olek", "Then what do we read next? A short book, please."),
        (115, "Mei Lin", "The Summer Book, 160 pages: https://www.example.org/summer"),
        (64, "Priya", "Yes! I have two copies, so one of you can have mine."),
    ],
    "Hiking": [
        (300, "Tom", "Sunday's forecast: sun until three, then rain."),
        (296, "Priya", "Early train, then. 7:42 from platform 5?"),
        (250, "Tom", "I bring the map and `track.gpx`. And the little book about mushrooms."),
    ],
    "茶馆": [
        (96, "王磊", "周末有人去西山看红叶吗？"),
        (93, "李娜", "上周六去过一次，山顶已经全红了 🍁"),
        (88, "王磊", "那周六早上八点，地铁口见？"),
    ],
    "Street-party": [(1_500, "Priya", "The council says yes. We have the street from noon to ten: book the band!")],
    "Flea-market": [
        (700, "Tom", "Tables are at the gate, ten o'clock."),
        (655, "Best Prices", "WATCHES 90 % OFF, only today, write to me!!!"),
        (654, "Best Prices", "Nobody sells cheaper. Cheaper!!!"),
    ],
    "Allotment-14": [(2_900, "Olek", "The pump works again. Please close the tap after you.")],
    "Night-shift": [(4_400, "Mei Lin", "Handover is in the blue book.")],
    "Español-B1": [(7_300, "Tom", "¿Quién viene el martes?")],
}

now = timezone.now()
for room, said in TALKS.items():
    topic = RoomTopic(room=room)
    for minutes, name, body in said:
        event = topic.append({"body": body}, by=Person(f"guest:{name}", name, guest=True))
        Entry.objects.filter(log__name=topic.name, seq=event.seq).update(at=now - timedelta(minutes=minutes))
    Log.objects.filter(name=topic.name).update(changed_at=now - timedelta(minutes=said[-1][0]))

keeper = of_user(get_user_model().objects.create_user("Henrike", password=PASSWORD, is_staff=True))
nuisance, market = Person("guest:Best Prices", "Best Prices", guest=True), "Flea-market"
reports.report(market, 2, Person("guest:Priya", "Priya", guest=True), "Advertising")
reports.report(market, 2, Person("guest:Tom", "Tom", guest=True), "Nobody asked for this")
verbs.remove(market, 3, keeper, "Advertising")
verbs.mute(market, nuisance, keeper, timedelta(days=1), "Advertising")
