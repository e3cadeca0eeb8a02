"""How fees are reduced, and who may have it: pure functions, no I/O."""

from datetime import date
from fractions import Fraction

from crm.courses.fees.models import (
    Applicant,
    DiscountTerms,
    FundState,
    Reduction,
    ScholarshipTerms,
    Seat,
)
from crm.courses.rules import net_price
from crm.errors import RuleBroken
from crm.money import Money

#: An `early` discount asks for this many days between the quote and the first class.
EARLY_DAYS = 15
#: Each live quote keeps money of a fund, or a use of a discount, from others.
MAX_LIVE_QUOTES = 5


def reduce_price(
    price: Money, discount: DiscountTerms | None, scholarship: ScholarshipTerms | None
) -> tuple[Reduction, ...]:
    """Return what is taken off a price: the discount first, the scholarship off what then remains.

    Each is a percentage rounded down to whole minor units and never more than its cap, so that
    what is left is never negative.

    Raises:
        RuleBroken("quote.combination"): this scholarship excludes discounts.
        RuleBroken("money.currency"): a cap is of another currency than the price.
    """
    if discount and scholarship and not scholarship.combines:
        raise RuleBroken("quote.combination", "This scholarship does not go with a discount.")
    reductions: list[Reduction] = []
    if discount:
        off = price - net_price(price, discount.percent, discount.cap)
        reductions.append(Reduction("discount", discount.code, off))
        price = price - off
    if scholarship:
        off = price - net_price(price, scholarship.percent, scholarship.cap)
        reductions.append(Reduction("scholarship", scholarship.code, off))
    return tuple(reductions)


def net_of(price: Money, reductions: tuple[Reduction, ...]) -> Money:
    """Return what is left to pay."""
    for reduction in reductions:
        price = price - reduction.amount
    return price


def check_discount(terms: DiscountTerms, applicant: Applicant, seat: Seat, *, today: date) -> None:
    """Check that a person may use a discount for a seat today.

    Raises:
        RuleBroken("discount.inactive"): withdrawn, not yet valid, or no longer.
        RuleBroken("discount.alumni" | "discount.early" | "discount.staff"): its rule is not met.
    """
    begun = terms.valid_from is None or terms.valid_from <= today
    ended = terms.valid_until is not None and terms.valid_until < today
    if not terms.active or not begun or ended:
        raise RuleBroken("discount.inactive", "This discount is not valid today.")
    if terms.rule == "alumni" and not applicant.alumni:
        raise RuleBroken("discount.alumni", "This discount is for those who completed a course.")
    if terms.rule == "early" and (seat.starts_on - today).days < EARLY_DAYS:
        raise RuleBroken("discount.early", "It is too late for this discount.")
    if terms.rule == "staff" and not applicant.staffed:
        raise RuleBroken("discount.staff", "Only staff can give this discount.")


def check_live(live: int) -> None:
    """Check that a person does not keep more prices frozen than they can need.

    Raises: RuleBroken("quote.too_many").
    """
    if live >= MAX_LIVE_QUOTES:
        raise RuleBroken("quote.too_many", "Use or cancel one of the prices that are still open.")


def check_usage(terms: DiscountTerms, used: int) -> None:
    """Check that a discount has not been used as often as it may be.

    Raises: RuleBroken("discount.used_up").
    """
    if terms.usage_limit is not None and used >= terms.usage_limit:
        raise RuleBroken("discount.used_up", "This discount has been used up.")


def check_fund(fund: FundState, share: Money) -> None:
    """Check that a fund can bear a share.

    Raises:
        RuleBroken("scholarship.fund"): there is not enough left.
        RuleBroken("money.currency"): the fund is of another currency.
    """
    if (fund.left - share).amount_minor < 0:
        raise RuleBroken("scholarship.fund", "This scholarship's fund does not suffice.")


def check_new_fund(before: FundState, fund: Money) -> None:
    """Check that a fund of another size still bears what was promised from it.

    Raises: RuleBroken("scholarship.fund" | "money.currency").
    """
    if (fund - before.reserved - before.granted).amount_minor < 0:
        raise RuleBroken("scholarship.fund", "More than this is promised from the fund.")


def check_dates(valid_from: date | None, valid_until: date | None) -> None:
    """Check that a discount does not end before it starts.

    Raises: RuleBroken("discount.dates").
    """
    if valid_from and valid_until and valid_until < valid_from:
        raise RuleBroken("discount.dates", "A discount ends after it starts.")


def returned_of(grant_minor: int, share: Fraction) -> int:
    """Return how much of a grant goes back; the rest of it stays granted, to the minor unit.

    Args:
        share: of what was paid, that goes back; from 0 to 1.

    Source: largest-remainder method for two parts, Hamilton 1792; a tie stays granted.
    """
    part, remainder = divmod(grant_minor * share.numerator, share.denominator)
    return part + (2 * remainder > share.denominator)
