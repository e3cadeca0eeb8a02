"""The identity service: staff access and the verification of students under one name."""

from datetime import timedelta

from crm.db import Database
from crm.identity.passwords import Passwords
from crm.identity.staff_access import StaffAccess
from crm.identity.verification import Verification


class IdentityService(StaffAccess, Verification):
    """Who is who.

    Args:
        staff_session: how long a staff login lasts.
        institution: the name that messages carry.
        phone_region: ISO 3166 code that phone numbers without a country code belong to.
    """

    def __init__(
        self,
        database: Database,
        *,
        staff_session: timedelta,
        institution: str = "Instituto Andino",
        phone_region: str = "PE",
        passwords: Passwords | None = None,
    ) -> None:
        StaffAccess.__init__(self, database, staff_session=staff_session, passwords=passwords)
        Verification.__init__(self, database, institution=institution, phone_region=phone_region)
