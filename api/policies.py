"""What a deployment's settings say of the domain's rules."""

from datetime import timedelta

from api.payments import Tills
from api.settings import Settings
from crm.courses.completion.models import CompletionPolicy
from crm.courses.fees.models import FeePolicy
from crm.courses.seats.models import SeatPolicy
from crm.payments.dunning.models import Schedule
from crm.payments.dunning.service import DunningPolicy
from crm.people.contact.quiet import QuietHours
from crm.support.appointments.models import AppointmentPolicy
from crm.workflows.terms import Terms
from crm.workflows.withdrawal.models import RefundPolicy


def dunning_policy(settings: Settings, tills: Tills, quiet: QuietHours) -> DunningPolicy:
    """Return when people are reminded of what is due, and through whom they pay."""
    return DunningPolicy(
        gateway=tills.chosen,
        base_url=settings.base_url,
        institution=settings.institution,
        time_zone=settings.time_zone,
        schedule=Schedule(settings.dunning_steps),
        quiet=quiet,
    )


def seat_policy(settings: Settings) -> SeatPolicy:
    """Return how long seats are held and offered."""
    return SeatPolicy(
        offer_life=timedelta(hours=settings.seat_offer_hours),
        hold_life=timedelta(minutes=settings.seat_hold_minutes),
        time_zone=settings.time_zone,
    )


def appointment_policy(settings: Settings) -> AppointmentPolicy:
    """Return what students may book by themselves."""
    return AppointmentPolicy(
        notice=timedelta(hours=settings.appointment_notice_hours),
        horizon=timedelta(days=settings.appointment_horizon_days),
        most_open=settings.appointments_ahead,
    )


def fee_policy(settings: Settings) -> FeePolicy:
    """Return how long prices stand."""
    return FeePolicy(
        quote_life=timedelta(minutes=settings.quote_minutes), time_zone=settings.time_zone
    )


def saga_terms(settings: Settings, tills: Tills, quiet: QuietHours) -> Terms:
    """Return what enrolments and withdrawals go by."""
    return Terms(
        seats=seat_policy(settings),
        fees=fee_policy(settings),
        quiet=quiet,
        refunds=RefundPolicy(settings.refund_full_days, settings.refund_partial_percent),
        gateway=None if tills.chosen == "none" else tills.chosen,
        institution=settings.institution,
    )


def completion_policy(settings: Settings) -> CompletionPolicy:
    """Return what it takes to complete a course."""
    return CompletionPolicy(
        attendance_percent=settings.attendance_percent, time_zone=settings.time_zone
    )
