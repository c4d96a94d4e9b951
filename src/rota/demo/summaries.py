"""What the report says, as queries: each makes one table of what is there already; :now is a parameter."""

from datetime import UTC, datetime

__all__ = ["NOW", "SUMMARIES", "SUMMER_TIME"]

# The report's "now" is fixed, so that it is the same every time.
NOW = datetime(2026, 1, 1, tzinfo=UTC)

# By the name of the table; later ones build on earlier ones. (Beside `max` and `min`, SQLite takes the other
# columns from the row of the maximum or minimum.)
SUMMARIES = {
    # Some changes only rename the time or move where summer begins in the books: no clock was turned.
    "turn": "SELECT zone, at, before, after FROM change WHERE before <> after",
    "decade": """
        SELECT substr(datetime(at, 'unixepoch'), 1, 3) || '0s' AS name, count(*) AS turns
        FROM turn GROUP BY name ORDER BY name""",
    "zone_now": """
        SELECT zone, after AS ahead, turns, turning
        FROM (SELECT zone, max(at), after FROM change WHERE at <= :now GROUP BY zone)
        JOIN (SELECT zone, count(*) AS turns, max(at > :now AND at <= :now + 365 * 86400) AS turning
              FROM turn GROUP BY zone) USING (zone)""",
    "country_now": """
        SELECT country.name, count(*) AS zones, sum(turning) AS turning, count(DISTINCT ahead) AS times
        FROM country JOIN zone_country ON country = code JOIN zone_now USING (zone) GROUP BY code""",
    "region_now": """
        SELECT substr(zone, 1, instr(zone, '/') - 1) AS name, count(*) AS zones, sum(turning) AS turning
        FROM zone_now GROUP BY 1""",
    "odd_offset": """
        SELECT ahead, min(zone) AS zone, count(*) AS zones FROM zone_now
        WHERE ahead % 3600 <> 0 GROUP BY 1""",
    "next_turn": """
        SELECT date(at, 'unixepoch') AS day, seconds, count(*) AS zones, min(zone) AS zone
        FROM (SELECT zone, min(at) AS at, after - before AS seconds FROM turn WHERE at > :now GROUP BY zone)
        GROUP BY day, seconds""",
}

# Of the present moment, for the schedule.
SUMMER_TIME = """
    SELECT count(*) FILTER (WHERE is_dst), count(*)
    FROM (SELECT is_dst, max(at) FROM change WHERE at <= unixepoch() GROUP BY zone)
"""
