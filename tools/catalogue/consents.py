"""The tools by which a student allows messages, or stops them."""

from typing import get_args

from pydantic import Field

from crm.actor import IdentityLevel, Role
from crm.people.models import ConsentChannel, ConsentPurpose, GiveConsent
from tools.arguments import ToolInput
from tools.catalogue.own import own_person
from tools.context import Locale
from tools.outputs import ToolOutput
from tools.phrases import phrase
from tools.spec import Call, Effect, ToolSpec, description_of

#: Of the sentence that the student agrees to; a new wording is a new version.
_TEXT_VERSION = "chat-1"
_SOURCE = "chat"


class AllowContact(ToolInput):
    """By which channel, and what for."""

    channel: ConsentChannel
    purpose: ConsentPurpose = "marketing"


class StopContact(ToolInput):
    """By which channel; without one, by none at all."""

    channel: ConsentChannel | None = Field(None, description="Leave out to stop all of them.")
    purpose: ConsentPurpose = "marketing"


class ContactSet(ToolOutput):
    """What holds from now on."""

    channels: list[ConsentChannel]
    purpose: ConsentPurpose
    granted: bool


async def allow_contact(call: Call[AllowContact]) -> ContactSet:
    """Record that the student lets the institution write to them by one channel.

    Use it when a verified student asks to get news or offers. They confirm the exact sentence. A
    minor's permission is given by the guardian, not here.
    """
    channels: list[ConsentChannel] = [call.args.channel]
    await _record(call, channels, call.args.purpose, granted=True)
    return ContactSet(channels=channels, purpose=call.args.purpose, granted=True)


async def stop_contact(call: Call[StopContact]) -> ContactSet:
    """Record that the student no longer wants such messages; it holds at once.

    Use it whenever a verified student asks for no more messages, calls or offers. Security codes
    and notices about their own contracts still reach them.
    """
    chosen = call.args.channel
    channels = [chosen] if chosen else list(get_args(ConsentChannel))
    await _record(call, channels, call.args.purpose, granted=False)
    return ContactSet(channels=channels, purpose=call.args.purpose, granted=False)


async def _record(
    call: Call[AllowContact] | Call[StopContact],
    channels: list[ConsentChannel],
    purpose: ConsentPurpose,
    *,
    granted: bool,
) -> None:
    for channel in channels:
        command = GiveConsent(
            person_id=own_person(call.context.actor),
            channel=channel,
            purpose=purpose,
            granted=granted,
            source=_SOURCE,
            text_version=_TEXT_VERSION,
        )
        await call.services.people.record_consent_within(
            call.uow, command, actor=call.context.actor
        )


def summarise_contact(args: AllowContact, locale: Locale) -> str:
    """Say what acceptance will do."""
    return phrase(
        locale,
        "consent.allow",
        channel=phrase(locale, f"channel.{args.channel}"),
        purpose=phrase(locale, f"purpose.{args.purpose}"),
    )


ALLOW_CONTACT = ToolSpec(
    name="allow_contact",
    version=1,
    description=description_of(allow_contact),
    input=AllowContact,
    output=ContactSet,
    handler=allow_contact,
    effect=Effect.WRITE,
    min_level=IdentityLevel.VERIFIED,
    roles=frozenset[Role](),
    approval="student",
    summarise=summarise_contact,
    examples=({"channel": "whatsapp", "purpose": "marketing"},),
)
STOP_CONTACT = ToolSpec(
    name="stop_contact",
    version=1,
    description=description_of(stop_contact),
    input=StopContact,
    output=ContactSet,
    handler=stop_contact,
    effect=Effect.WRITE,
    min_level=IdentityLevel.VERIFIED,
    roles=frozenset[Role](),
    examples=({}, {"channel": "whatsapp"}),
)
