"""How a message reaches its target: a log, a webhook, a chat, an e-mail.

Belongs here: one function per channel, each with a limit on its time.  Does not belong here: whom to tell (``alerts``).
Addresses and passwords come from the environment, by the names that the policy gives; none is ever written or logged.
"""

import json
import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from email.message import EmailMessage
from pathlib import Path
from urllib.error import URLError
from urllib.parse import unquote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from finpipe.observe.rules import Target

#: Nobody waits longer for a receiver; the next round tries again.
TIMEOUT_SECONDS = 10


class SendError(Exception):
    """A message did not get through; its words name no address and no secret."""


@dataclass(frozen=True)
class Message:
    """One thing to say. ``event`` is raised, escalated or recovered; ``key`` is the same for all three."""

    event: str
    key: str
    subject: str
    kind: str
    sentence: str
    owner: str
    severity: str
    since: str

    @property
    def headline(self) -> str:
        """One line, whatever a file name brought with it."""
        said = f"[finpipe] {self.event}: {self.subject} {self.kind} ({self.severity}, {self.owner})"
        return " ".join(said.split())

    @property
    def text(self) -> str:
        """The whole of it."""
        ended = "This is over." if self.event == "recovered" else "finpipe status shows it as it is now."
        return f"{self.headline}\n{self.sentence}\nsince {self.since}\n{ended}"


def send(target: Target, message: Message, environment: Mapping[str, str], log: Path) -> None:
    """Send one message; raises ``SendError``, which names the variable that is missing or what the receiver said."""
    if target.channel == "log":
        with log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(message), ensure_ascii=False) + "\n")
        return
    said = {name: environment.get(variable, "") for name, variable in target.env.items()}
    if missing := [target.env[name] for name, value in said.items() if not value]:
        raise SendError(f"the environment says nothing for {', '.join(missing)}")
    if target.channel == "email":
        _email(said["server"], said["from"], said["to"], message)
    else:
        _post(said["url"], {"text": message.text} if target.channel == "chat" else asdict(message))


class _NoRedirect(HTTPRedirectHandler):
    """An alert goes where it was addressed to, or nowhere."""

    def redirect_request(self, *_: object) -> None:
        """Follow nothing."""


def _post(url: str, body: Mapping[str, str]) -> None:
    """JSON by HTTP; chats (Slack, Mattermost, Teams workflows) read ``text``."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise SendError("the address is no http or https address")
    data = json.dumps(body, ensure_ascii=False).encode()
    request = Request(url, data, {"Content-Type": "application/json"}, method="POST")  # noqa: S310 - checked above
    try:
        with build_opener(_NoRedirect).open(request, timeout=TIMEOUT_SECONDS):
            pass
    except (URLError, OSError, ValueError) as problem:
        raise SendError(f"the receiver did not take it: {_reason(problem)}") from None


def _email(server: str, sender: str, to: str, message: Message) -> None:
    """``smtp://[user:password@]host[:port]``, or ``smtps://``; smtp changes to TLS where the server offers it."""
    at = urlsplit(server)
    if at.scheme not in ("smtp", "smtps") or not at.hostname:
        raise SendError("the mail server is no smtp or smtps address")
    context = ssl.create_default_context()
    try:
        mail = EmailMessage()
        mail["Subject"], mail["From"], mail["To"] = message.headline, sender, to
        mail.set_content(message.text)
        if at.scheme == "smtps":
            client: smtplib.SMTP = smtplib.SMTP_SSL(
                at.hostname, at.port or 465, timeout=TIMEOUT_SECONDS, context=context
            )
        else:
            client = smtplib.SMTP(at.hostname, at.port or 25, timeout=TIMEOUT_SECONDS)
        with client:
            client.ehlo()
            is_secret = at.scheme == "smtps"
            if not is_secret and client.has_extn("starttls"):
                client.starttls(context=context)
                is_secret = True
            if at.username:
                if not is_secret:
                    raise SendError("the server offers no TLS, so no password is sent")
                client.login(unquote(at.username), unquote(at.password or ""))
            client.send_message(mail)
    except (smtplib.SMTPException, OSError, ValueError) as problem:
        raise SendError(f"the mail server did not take it: {_reason(problem)}") from None


def _reason(problem: Exception) -> str:
    """What went wrong, without an address."""
    code = getattr(problem, "code", None) or getattr(problem, "smtp_code", None)
    return f"{type(problem).__name__} {code}" if code else type(problem).__name__
