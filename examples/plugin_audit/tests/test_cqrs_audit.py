from cqrs_audit import Audit, LastEntries, audit

from cqrs import CqrsApp, CqrsModule
from cqrs.testing import HANDLER_LAWS, PLUGIN_LAWS, HandlerSubject, PluginSubject, laws_for

ENV = {"AUDIT_JOURNAL": "/dev/null"}


def app() -> CqrsApp:
    return CqrsModule.for_root(audit, plugins=[Audit()], env=ENV)


HANDLER = HandlerSubject(LastEntries, app, deterministic=True)
TestAudit = laws_for("TestAudit", PLUGIN_LAWS, subject=PluginSubject(Audit, env=ENV))
TestEntries = laws_for("TestEntries", HANDLER_LAWS, subject=HANDLER)
