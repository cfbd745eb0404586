"""What analyses give. `people` are companies where the analysis counts these: `unit: group`."""

from __future__ import annotations

from event_assets.contract.tables.schema import Column, InWarehouse, Table, required

_ANALYSIS = required("analysis", "string", "Name of the analysis, as its file says.")

TRENDS = Table(
    "trends",
    "The trends: one row an analysis, value of its breakdown, period, and series or formula.",
    (
        _ANALYSIS,
        required("span", "string", "now, or before: the period that it is held against."),
        required("series", "int", "Place of the series, from 1; formulas follow them."),
        Column("letter", "string", "Letter of the series in formulas; null of a formula."),
        required("measure", "string", "What is measured: count, people, sum, …, or formula."),
        required("series_name", "string", "What the series or formula is called."),
        required(
            "breakdown",
            "string",
            "Value of the event; else (all), (none) or (other). Of several fields a JSON list of theirs.",
        ),
        required("period_start", "timestamp", "Beginning of the period; of before, of the one it is held against."),
        Column("value", "double", "The measure; null where there is nothing to measure."),
    ),
    key=("analysis", "span", "series", "breakdown", "period_start"),
    partition_by=("analysis",),
    warehouse=InWarehouse("agg_trends", sort_key=("analysis", "period_start"), sums=("value",)),
)

FUNNELS = Table(
    "funnels",
    "The funnels: one row an analysis, value of its breakdown, and step.",
    (
        _ANALYSIS,
        required(
            "breakdown",
            "string",
            "Value on an event of the try; else (all), (none) or (other). Of several fields a JSON list of theirs.",
        ),
        required("step", "int", "Place of the step, from 1."),
        required("step_name", "string", "What the step is called."),
        required("people", "long", "Persons who reached it within the window."),
        Column("conversion", "double", "Share of those who reached the first step."),
        Column("step_conversion", "double", "Share of those who reached the step before."),
        Column("mean_seconds", "double", "Mean time since the step before.", unit="s"),
        Column("median_seconds", "double", "Median time since the step before.", unit="s"),
    ),
    key=("analysis", "breakdown", "step"),
    partition_by=("analysis",),
    warehouse=InWarehouse("agg_funnels", sort_key=("analysis", "breakdown"), sums=("people",)),
)

FUNNEL_TRENDS = Table(
    "funnel_trends",
    "How funnels convert over time: one row an analysis and period.",
    (
        _ANALYSIS,
        required("period_start", "timestamp", "Beginning of the period in which people took the first step."),
        required("people", "long", "Persons who took it."),
        required("converted", "long", "Those of them who reached the last step within the window."),
        Column("conversion", "double", "converted / people."),
    ),
    key=("analysis", "period_start"),
    partition_by=("analysis",),
    warehouse=InWarehouse("agg_funnel_trends", sort_key=("analysis", "period_start"), sums=("people", "converted")),
)

TIMES_TO_CONVERT = Table(
    "times_to_convert",
    "How long people take from one step of a funnel to another: one row an analysis and bin of the histogram.",
    (
        _ANALYSIS,
        required("bin", "int", "Place of the bin, from 0."),
        required("from_seconds", "double", "The least time in the bin.", unit="s"),
        required("to_seconds", "double", "Where the next bin begins.", unit="s"),
        required("people", "long", "Persons who took so long."),
    ),
    key=("analysis", "bin"),
    partition_by=("analysis",),
    warehouse=InWarehouse("agg_times_to_convert", sort_key=("analysis", "bin"), sums=("people",)),
)

RETENTION = Table(
    "retention",
    "The retention tables: one row an analysis, value of its breakdown, cohort, and period since.",
    (
        _ANALYSIS,
        required("span", "string", "now, or before: the period that it is held against."),
        required(
            "breakdown",
            "string",
            "Value of the first target event; else (all), (none) or (other). Of several fields a JSON list of theirs.",
        ),
        required("cohort_start", "timestamp", "Beginning of the period in which the cohort did the target event."),
        required("period", "int", "Periods since then; 0 is the cohort itself."),
        required("people", "long", "Those of the cohort who came back in that period."),
        required("cohort_people", "long", "Persons of the cohort."),
        Column("share", "double", "people / cohort_people; null where the cohort is empty."),
    ),
    key=("analysis", "span", "breakdown", "cohort_start", "period"),
    partition_by=("analysis",),
    warehouse=InWarehouse("agg_retention", sort_key=("analysis", "cohort_start"), sums=("people",)),
)

LIFECYCLE = Table(
    "lifecycle",
    "The lifecycles: one row an analysis, period and status.",
    (
        _ANALYSIS,
        required("span", "string", "now, or before: the period that it is held against."),
        required("period_start", "timestamp", "Beginning of the period."),
        required("status", "string", "new, returning, resurrecting or dormant."),
        required("people", "long", "Persons; those who are dormant are counted negative."),
    ),
    key=("analysis", "span", "period_start", "status"),
    partition_by=("analysis",),
    warehouse=InWarehouse("agg_lifecycle", sort_key=("analysis", "period_start"), sums=("people",)),
)

PATHS = Table(
    "paths",
    "The paths through sessions: one row an analysis and transition.",
    (
        _ANALYSIS,
        required("step", "int", "Place of from_node on the path, from 1; 0 is the way in."),
        required("from_node", "string", "Where from; (start) before the first, (...) for those left out."),
        required("to_node", "string", "Where to; (end) after the last, (...) for those left out."),
        required("transitions", "long", "How often: sessions that go this way at this step."),
        Column("mean_seconds", "double", "Mean time between the two; null at both ends.", unit="s"),
    ),
    key=("analysis", "step", "from_node", "to_node"),
    partition_by=("analysis",),
    warehouse=InWarehouse("agg_paths", sort_key=("analysis", "step"), sums=("transitions",)),
)

ACTIVE_USERS = Table(
    "active_users",
    "Active people: one row an analysis and day.",
    (
        _ANALYSIS,
        required("span", "string", "now, or before: the period that it is held against."),
        required("event_date", "date", "Day, by the clock of the site (see EVENT_ASSETS_TIME_ZONE)."),
        required("dau", "long", "Persons active on the day."),
        required("wau", "long", "Persons active on the day or the 6 before it."),
        required("mau", "long", "Persons active on the day or the 29 before it."),
        Column("stickiness", "double", "dau / mau."),
    ),
    key=("analysis", "span", "event_date"),
    partition_by=("analysis",),
    warehouse=InWarehouse("agg_active_users", sort_key=("analysis", "event_date"), sums=("dau", "wau", "mau")),
)

STICKINESS = Table(
    "stickiness",
    "How often people come: one row an analysis and number of periods.",
    (
        _ANALYSIS,
        required("periods", "int", "In how many of the hours, days, weeks or months they were active, from 1."),
        required("people", "long", "Persons active in just so many."),
        Column("share", "double", "Share of all who were active."),
    ),
    key=("analysis", "periods"),
    partition_by=("analysis",),
    warehouse=InWarehouse("agg_stickiness", sort_key=("analysis", "periods"), sums=("people",)),
)

WEB_VITALS = Table(
    "web_vitals",
    "How fast pages are: one row an analysis, page and kind of device. 75th percentiles, interpolated.",
    (
        _ANALYSIS,
        required("page_path", "string", "Path of the page; (none) where there is none."),
        required("device_type", "string", "desktop, mobile, tablet, bot or other; (none) where it is not known."),
        required("views", "long", "Page views with at least one of the measures."),
        Column("lcp_ms", "double", "Largest contentful paint.", unit="ms"),
        Column("inp_ms", "double", "Interaction to next paint.", unit="ms"),
        Column("fid_ms", "double", "First input delay.", unit="ms"),
        Column("cls", "double", "Cumulative layout shift."),
    ),
    key=("analysis", "page_path", "device_type"),
    partition_by=("analysis",),
    warehouse=InWarehouse("agg_web_vitals", sort_key=("analysis", "page_path"), sums=("views",)),
)

TABLES: tuple[Table, ...] = (
    TRENDS,
    FUNNELS,
    FUNNEL_TRENDS,
    TIMES_TO_CONVERT,
    RETENTION,
    LIFECYCLE,
    PATHS,
    ACTIVE_USERS,
    STICKINESS,
    WEB_VITALS,
)
