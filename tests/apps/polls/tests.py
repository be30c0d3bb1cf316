"""The foreign app's own tests, as somebody who builds on this writes them: `python manage.py test apps.polls`."""

from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import transaction
from django.test import TestCase, TransactionTestCase

from apps.polls.topics import Votes
from topics.testing import Refused, avisit, visit


class Voting(TestCase):
    alice: User
    bob: User

    @classmethod
    def setUpTestData(cls) -> None:
        cls.alice, cls.bob = map(User.objects.create_user, ("alice", "bob"))

    def test_a_vote_is_heard_by_everybody(self) -> None:
        with visit(user=self.alice) as tab, visit(user=self.bob) as other:
            votes, others = tab.join("votes/lunch"), other.join("votes/lunch")
            self.assertEqual(votes.send({"option": "pizza"})["seq"], 1)
            for hearing in (votes, others):
                event = hearing.next("event", seconds=10)
                self.assertEqual((event["by"]["name"], event["data"]), ("alice", {"option": "pizza"}))
            others.nothing()

    def test_what_is_not_on_the_table_is_refused(self) -> None:
        with visit(user=self.alice) as tab:
            with self.assertRaises(Refused) as refused:
                tab.send("votes/lunch", {"option": "stone"})
            self.assertEqual((refused.exception.code, str(refused.exception)), ("refused", "unknown option"))

    def test_guests_watch_and_do_not_vote(self) -> None:
        with visit() as guest:
            votes = guest.join(Votes(poll="lunch"))
            Votes(poll="lunch").append({"option": "pasta"}, by=self.bob)
            self.assertEqual(votes.next(seconds=10)["by"]["name"], "bob")
            with self.assertRaises(Refused) as refused:
                votes.send({"option": "pizza"})
            self.assertEqual(refused.exception.code, "forbidden")

    def test_what_was_missed_in_a_tunnel_comes_afterwards(self) -> None:
        with visit(user=self.alice) as tab:
            votes = tab.join("votes/lunch")
            tab.cut()
            Votes(poll="lunch").append({"option": "pasta"})
            tab.back()
            self.assertEqual(votes.next(seconds=10)["data"], {"option": "pasta"})

    async def test_async_tests_do_the_same(self) -> None:
        async with avisit(user=self.alice) as tab:
            votes = await tab.join("votes/lunch")
            await Votes(poll="lunch").aappend({"option": "pasta"})
            event: Any = await votes.next(seconds=10)
            self.assertEqual(event["seq"], 1)
            self.assertEqual(await sync_to_async(User.objects.count)(), 2)


class Committing(TransactionTestCase):
    def test_what_is_rolled_back_is_heard_by_nobody(self) -> None:
        with visit() as tab:
            votes = tab.join("votes/lunch")
            with transaction.atomic():
                Votes(poll="lunch").append({"option": "pasta"})
                transaction.set_rollback(True)
            votes.nothing()
