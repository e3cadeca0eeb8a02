"""What a deployment has settled that sagas go by."""

from dataclasses import dataclass, field
from datetime import date, datetime

from crm.clock import day_in
from crm.courses.fees.models import FeePolicy
from crm.courses.seats.models import SeatPolicy
from crm.people.contact.quiet import QuietHours
from crm.workflows.withdrawal.models import RefundPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The institution's rules, and who takes its money.

    Args:
        gateway: of new payments; None where money is only taken by hand.
        institution: its name, as messages give it.
    """

    seats: SeatPolicy = field(default_factory=SeatPolicy)
    fees: FeePolicy = field(default_factory=FeePolicy)
    refunds: RefundPolicy = field(default_factory=RefundPolicy)
    quiet: QuietHours = field(default_factory=QuietHours)
    gateway: str | None = None
    institution: str = "Orienta"

    def day_of(self, moment: datetime) -> date:
        """Return the day it is at the institution."""
        return day_in(self.seats.time_zone, moment)
