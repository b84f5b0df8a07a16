import os

from cqrs_audit import Audit, LastEntries, audit

from cqrs import CqrsApp, CqrsModule
from cqrs.testing import HANDLER_LAWS, HandlerSubject, laws_for

ENV = {"AUDIT_JOURNAL": os.devnull}


def app() -> CqrsApp:
    return CqrsModule.for_root(audit, plugins=[Audit()], env=ENV)


LAST_ENTRIES = HandlerSubject(LastEntries, app, deterministic=True)
TestLastEntries = laws_for("TestLastEntries", HANDLER_LAWS, subject=LAST_ENTRIES)
