"""Sends one text to everybody who asked for that event."""

import os

from datamig_pipelines.errors import without_secrets
from datamig_pipelines.spec import Alert, Migration


def send(migration: Migration, event: str, text: str) -> list[str]:
    """Send ``text`` for an event (failure, canceled, success); return what became of each alert.

    Addresses are read from the environment and never told. Nothing is raised: an alert that cannot
    be sent must not hide what it is about. Where nobody is to be told, text and contacts come back.
    """
    wanted = [a for a in migration.alerts if event in a.on]
    body = "\n".join([text, *_contacts(migration)])
    if not wanted:
        return [*without_secrets(body).splitlines(), "no alert is configured for this"]
    return [_post(a, f"datamig: {migration.name} {event}", without_secrets(body)) for a in wanted]


def _contacts(migration: Migration) -> list[str]:
    return [
        f"contact: {' '.join(v for v in (c.name, c.phone, c.email) if v)}"
        for c in migration.contacts
    ]


def _post(alert: Alert, title: str, body: str) -> str:
    address = os.environ.get(alert.env)
    if not address:
        return f"{alert.env}: not sent, the environment variable is not set"
    try:
        import apprise
    except ImportError:
        return f"{alert.env}: not sent, apprise is not installed (pip install apprise)"
    try:
        post = apprise.Apprise()
        sent = bool(post.add(address)) and bool(post.notify(title=title, body=body))
    except Exception as error:  # noqa: BLE001 (a plug-in may raise anything; its words may hold the address)
        return f"{alert.env}: not sent, {type(error).__name__}"
    return (
        f"{alert.env}: sent"
        if sent
        else f"{alert.env}: not sent, the address was refused or did not answer"
    )
