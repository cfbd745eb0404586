"""What must happen round a fork: gunicorn's preloading, celery, multiprocessing. Nothing is registered at import."""

from __future__ import annotations

import os
from typing import Protocol


class Forkable(Protocol):
    """Something that has to be quiet while its process forks."""

    def before_fork(self) -> None: ...

    def after_fork_in_parent(self) -> None: ...

    def after_fork_in_child(self) -> None: ...


_followers: list[Forkable] = []
_registered = False


def follow(follower: Forkable) -> None:
    """Tells it of every fork from now on, until it is left."""
    global _registered
    if not _registered:
        _registered = True
        os.register_at_fork(before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child)
    _followers.append(follower)


def leave(follower: Forkable) -> None:
    """Tells it no more."""
    if follower in _followers:
        _followers.remove(follower)


def _before() -> None:
    for follower in _followers:
        follower.before_fork()


def _after_in_parent() -> None:
    for follower in _followers:
        follower.after_fork_in_parent()


def _after_in_child() -> None:
    for follower in _followers:
        follower.after_fork_in_child()
