"""Who did what to people's data: a log to which is only added, each entry bound to the one before it."""

from event_assets.audit.log import Action, AuditFault, AuditLog, Entry, anchor_of, audit_log, this_user
from event_assets.audit.statements import without_values

__all__ = ["Action", "AuditFault", "AuditLog", "Entry", "anchor_of", "audit_log", "this_user", "without_values"]
