from __future__ import annotations

from event_assets.simulator.people import make_person


def test_a_person_is_the_same_whenever_asked_for() -> None:
    assert make_person(7, 123) == make_person(7, 123)
    assert make_person(7, 123) != make_person(8, 123)


def test_some_people_share_a_device_and_some_have_several() -> None:
    people = [make_person(7, number) for number in range(2_000)]
    owners: dict[str, set[str]] = {}
    for person in people:
        for device in person.devices:
            if device.anonymous_id:
                owners.setdefault(device.anonymous_id, set()).add(person.user_id)
    assert any(len(users) > 1 for users in owners.values())
    assert any(len(person.devices) > 1 for person in people)


def test_consent_is_given_refused_and_never_asked() -> None:
    answers = {person.consent and person.consent.analytics for person in (make_person(7, n) for n in range(2_000))}
    assert answers == {True, False, None}
