"""What a visitor asks for beyond the pages, in the audit log before it is done."""

from __future__ import annotations

from typing import Any

import flask

from event_assets.audit import Action, AuditFault, audit_log, this_user
from event_assets.dashboards.context import Context


def logged(context: Context, action: Action, of: str, **said: Any) -> str | None:
    """Logs what the visitor of this request does; gives why it is not to be done, where that cannot be logged."""
    visitor = flask.g.visitor
    try:
        audit_log(context.settings).append(action, of, visitor.name or this_user(), role=visitor.role, **said)
    except (OSError, AuditFault) as fault:
        return f"The audit log cannot be written, and nothing is run without: {fault}"
    return None
