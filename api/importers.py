"""What can be imported from files."""

from collections.abc import Mapping

from api.settings import Settings
from crm.imports.courses.importer import CourseImporter
from crm.imports.importer import Importer
from crm.imports.leads.importer import LeadImporter
from crm.imports.models import ImportKind
from crm.imports.people.importer import PeopleImporter


def importers_of(settings: Settings) -> Mapping[ImportKind, Importer]:
    """Return what can be imported, and how."""
    people = PeopleImporter(
        region=settings.phone_region,
        locale=settings.default_locale,
        time_zone=settings.time_zone,
    )
    return {"people": people, "leads": LeadImporter(people), "courses": CourseImporter()}
