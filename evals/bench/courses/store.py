"""Makes up a large catalogue: 5,000 courses, 20,000 groups, seats taken and held."""

from crm.db import Connection

COURSES, GROUPS, PEOPLE = 5_000, 20_000, 4_000

_FILL = (
    "INSERT INTO areas VALUES ('zz-a', 'Letras', 'Arts'), ('zz-b', 'Ciencias', 'Sciences')",
    """
    INSERT INTO courses (code, area, level, language, title_es, title_en, summary_es, summary_en,
        outcomes_es, outcomes_en, keywords, hours, weeks, hours_per_week, price_minor, currency,
        certificate, updated_at)
    SELECT 'ZZ-' || n, CASE n %% 2 WHEN 0 THEN 'zz-a' ELSE 'zz-b' END,
        (ARRAY['intro', 'intermediate', 'advanced'])[1 + n %% 3],
        (ARRAY['es', 'en'])[1 + n %% 2],
        concat_ws(' ', (ARRAY['Introducción a la', 'Fundamentos de', 'Gestión de', 'Taller de',
            'Historia de la', 'Análisis de', 'Diseño de', 'Técnicas de'])[1 + n %% 8],
            (ARRAY['contabilidad', 'programación', 'fotografía', 'biología', 'economía',
            'enfermería', 'música', 'estadística', 'mecánica', 'logística', 'cerámica', 'química',
            'robótica', 'psicología', 'pedagogía'])[1 + n %% 15],
            (ARRAY['digital', 'aplicada', 'avanzada', 'comparada', 'creativa', 'sostenible',
            'industrial'])[1 + n %% 7], 'nivel', n / 840 + 1),
        concat_ws(' ', (ARRAY['Introduction to', 'Foundations of', 'Management of',
            'Workshop in', 'History of', 'Analysis of', 'Design of', 'Techniques of'])[1 + n %% 8],
            (ARRAY['digital', 'applied', 'advanced', 'comparative', 'creative', 'sustainable',
            'industrial'])[1 + n %% 7],
            (ARRAY['accounting', 'programming', 'photography', 'biology', 'economics', 'nursing',
            'music', 'statistics', 'mechanics', 'logistics', 'ceramics', 'chemistry', 'robotics',
            'psychology', 'pedagogy'])[1 + n %% 15], 'level', n / 840 + 1),
        repeat('Aprende con casos reales y docentes que ejercen. ', 8),
        repeat('Learn from real cases and from teachers who practise. ', 8),
        ARRAY['Resolver casos'], ARRAY['Solve cases'], ARRAY['caso'], 40, 8, 5,
        5000 * (1 + n %% 90), 'USD', true, %(now)s
    FROM generate_series(1, %(courses)s) n
    """,
    """
    INSERT INTO cohorts (id, code, course_code, starts_on, ends_on, enrolment_closes, modality,
        campus, days, start_time, end_time, seats, blocked_seats, price_minor, currency, status,
        updated_at)
    SELECT gen_random_uuid(), 'ZZ-' || n || '-G', 'ZZ-' || 1 + n %% %(courses)s, day, day + 60,
        day - 3, (ARRAY['online', 'onsite', 'hybrid'])[1 + n %% 3], NULL, ARRAY['mon', 'wed'],
        '19:00', '21:00', 8 + n %% 20, 1, 5000 * (1 + n %% 90), 'USD',
        CASE WHEN n %% 20 = 0 THEN 'closed' ELSE 'open' END, %(now)s
    FROM generate_series(1, %(groups)s) n,
        LATERAL (SELECT %(now)s::date - 200 + n * 37 %% 400 AS day) d
    """,
    """
    INSERT INTO people (id, full_name, email, locale, time_zone, status, created_at, updated_at)
    SELECT gen_random_uuid(), 'Persona ' || n, 'zz' || n || '@catalogue.example', 'es', 'UTC',
        'active', %(now)s, %(now)s
    FROM generate_series(1, %(people)s) n
    """,
    """
    INSERT INTO enrolments (id, person_id, cohort_id, status, confirmed_at)
    SELECT gen_random_uuid(), p.id, c.id, 'confirmed', %(now)s
    FROM (SELECT id, row_number() OVER () AS n FROM people) p
    JOIN (SELECT id, row_number() OVER () AS n FROM cohorts) c ON (c.n - p.n) %% 400 = 0
    ON CONFLICT DO NOTHING
    """,
)


async def make_catalogue(conn: Connection, *, now: object) -> None:
    """Fill the tables; statistics and visibility are those of a catalogue in use."""
    sizes = {"now": now, "courses": COURSES, "groups": GROUPS, "people": PEOPLE}
    for statement in _FILL:
        await conn.execute(statement, sizes)


async def vacuum(conn: Connection) -> None:
    """Bring statistics and visibility up to date; not within a transaction."""
    await conn.execute("VACUUM (ANALYZE) courses, cohorts, enrolments, seat_holds")
