"""The `event-assets` command: what a person types, and what they read.

Each command calls one function elsewhere. Heavy modules are imported inside the commands, so that `--help` is quick.
"""

from __future__ import annotations

import contextlib
import json
import signal
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from event_assets import __version__

if TYPE_CHECKING:
    from rich.console import Console

    from event_assets.collector.keys import WriteKeys
    from event_assets.settings import Settings
    from event_assets.stack.local import LocalStack
    from event_assets.stack.record import StackRecord

app = typer.Typer(
    name="event-assets",
    help="Behavioural-event analytics as Dagster assets, from the client SDK to the warehouse.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
keys_app = typer.Typer(help="Write keys: who may send events to the ingest API.", no_args_is_help=True)
app.add_typer(keys_app, name="keys")

EXIT_FAULT = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output, and nothing else.")]


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


@app.command()
def up(end_with_parent: Annotated[bool, typer.Option(hidden=True)] = False) -> None:
    """Start the local stack and keep it running until Ctrl-C."""
    with _faults_as_sentences(), _running_stack(end_with_parent) as (console, stack):
        _show_addresses(console, stack.record)
        _watch(stack)


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="Stop when the summary is printed.")] = False,
    as_json: AsJson = False,
    events: Annotated[int, typer.Option(min=1, help="Events to send, about.")] = 20_000,
    seconds: Annotated[float, typer.Option(min=0, help="Seconds to send them in.")] = 30.0,
    seed: Annotated[int, typer.Option(help="Seed of the made-up people.")] = 7,
    patience: Annotated[float, typer.Option(min=1, help="Seconds to wait for the last row.")] = 300.0,
    end_with_parent: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """Start the stack, send an hour of a small site's life through it, and show what became of it."""
    with _faults_as_sentences(), _running_stack(end_with_parent) as (console, stack):
        from event_assets import display
        from event_assets.demo import run_demo

        _show_addresses(console, stack.record)
        with display.demo_progress(console) as watch:
            result = run_demo(
                stack.settings,
                stack,
                events=events,
                seconds=seconds,
                seed=seed,
                patience_seconds=patience,
                watch=watch,
            )
        if as_json:
            typer.echo(json.dumps(result.as_dict()))
        else:
            display.show_summary(result, stack.record)
        if not once:
            console.print("The stack goes on until Ctrl-C.")
            _watch(stack)


@app.command()
def simulate(
    events: Annotated[int, typer.Option(min=1, help="Events to send, about.")] = 20_000,
    seconds: Annotated[float, typer.Option(min=0, help="Seconds to send them in.")] = 30.0,
    hours: Annotated[float, typer.Option(min=0.01, help="Hours of life that they are, up to now.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Seed of the made-up people.")] = 7,
    rate: Annotated[
        list[str] | None, typer.Option(help="A fault's rate, NAME=SHARE, such as duplicate=0.1. Repeatable.")
    ] = None,
    anomaly: Annotated[
        list[str] | None,
        typer.Option(help="An anomaly to plant, KIND[,FROM,TO[,STRENGTH]], such as bot_wave. Repeatable."),
    ] = None,
    endpoint: Annotated[str | None, typer.Option(help="Ingest API. Default: the running stack's.")] = None,
    key: Annotated[
        str | None, typer.Option(help="Write key. Default: one of its own, for as long as it sends.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Send made-up traffic with faults in it, and write down the truth that `verify` holds every stage against."""
    with _faults_as_sentences():
        from event_assets import display
        from event_assets.simulator.local import local_endpoint, simulate_locally
        from event_assets.simulator.run import run_simulation
        from event_assets.simulator.traffic import Traffic, rates_of

        settings, rates = _settings(), rates_of(dict(_named_number(each) for each in rate or ()))
        traffic = Traffic(seed, events, seconds, hours, rates, tuple(anomaly or ()))
        where = endpoint or local_endpoint(settings)
        with display.simulation_progress(_console()) as watch:
            if key is None:
                result = simulate_locally(settings, where, traffic, watch)
            else:
                result = run_simulation(settings, where, key, None, progress=watch, **traffic.arguments())
        if as_json:
            typer.echo(json.dumps(result.as_dict()))
        else:
            display.show_simulation(result)


def _named_number(text: str) -> tuple[str, float]:
    name, _, number = text.partition("=")
    try:
        return name.strip(), float(number)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no rate: write NAME=SHARE, such as duplicate=0.1") from None


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="Events, one JSON object a line: NDJSON, .gz or .zst.")],
    mapping: Annotated[
        str | None,
        typer.Option(help="YAML file that maps the file's fields to the contract's, or a shipped one's name."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Feed a file of events onto the stream, as a trusted source. A running stack takes them from there."""
    with _faults_as_sentences():
        from event_assets import display
        from event_assets.importing import StreamSink, find_mapping, import_file
        from event_assets.streams import open_stream

        settings = _settings()
        fields = find_mapping(mapping) if mapping else None
        stream = open_stream(settings)
        try:
            stream.create(settings.stream_shards)
            with display.import_progress(_console(), file) as watch:
                result = import_file(
                    file, fields, StreamSink(settings, stream), watch, bookmarks=settings.home / "imports"
                )
        finally:
            stream.close()
        if as_json:
            typer.echo(json.dumps(asdict(result) | {"path": str(result.path)}))
        else:
            display.show_import(result)


@app.command()
def model(
    events: Annotated[
        Path, typer.Argument(help="Events of the contract, one JSON object a line, .gz and .zst too; - for stdin.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the tables, each as <table>/<table>.parquet.")],
    settings_file: Annotated[
        Path | None,
        typer.Option("--settings", help="YAML or JSON file of settings by name: session_timeout_minutes: 30."),
    ] = None,
    mapping: Annotated[
        str | None,
        typer.Option(help="YAML file that maps the file's fields to the contract's, or a shipped one's name."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run a file of events from a trusted source through every step, and write each table as Parquet.

    Ids and times are taken as given. An event without received_at gets its sent_at, else its occurred_at. Without a
    plan_dir there is no tracking plan. Exit status 1 where the books do not balance, 2 where something cannot be read.
    """
    with _faults_as_sentences():
        from event_assets import display
        from event_assets.modelling import model_file

        with display.parts_in_turn(_console()) as watch:
            modelled = model_file(events, out, settings_file, mapping, watch=watch)
        if as_json:
            typer.echo(json.dumps(modelled.as_dict()))
        else:
            display.show_modelled(modelled)
        if not modelled.books.balance:
            raise typer.Exit(EXIT_FAULT)


@app.command()
def status(as_json: AsJson = False) -> None:
    """Show where events are, whether the books balance, and what is behind."""
    with _faults_as_sentences():
        from event_assets import display
        from event_assets.overview import read_overview

        settings = _settings()
        record = _record(settings)
        with _warehouse_url(settings, record) as url:
            overview = read_overview(settings, url)
        if as_json:
            typer.echo(json.dumps({"stack": _plain(record), **overview.as_dict()}))
        else:
            display.show_overview(overview, record)


@app.command()
def verify(
    truth: Annotated[Path | None, typer.Option(help="The simulator's truth. Default: the one of this home.")] = None,
    as_json: AsJson = False,
) -> None:
    """Hold every stage against the truth that the simulator wrote; exit status 1 where they differ."""
    with _faults_as_sentences():
        from event_assets import display
        from event_assets.verification import verify as verify_stages

        settings = _settings()
        with _warehouse_url(settings, _record(settings)) as url:
            report = verify_stages(settings, url, truth)
        if as_json:
            typer.echo(json.dumps([line._asdict() for line in report]))
        else:
            display.show_report(report)
        if not all(line.ok for line in report):
            raise typer.Exit(EXIT_FAULT)


@app.command()
def stress(
    processes: Annotated[str, typer.Option(help="Collector processes to try one after the other.")] = "1,2,4",
    max_seconds: Annotated[float, typer.Option(min=10, help="Seconds that it takes at the most, about.")] = 300.0,
    step_seconds: Annotated[float, typer.Option(min=0.5, help="Seconds at each rate.")] = 5.0,
    start: Annotated[float, typer.Option(min=50, help="Events a second of the first step.")] = 10_000.0,
    whole_start: Annotated[float, typer.Option(min=50, help="The same, where the pipeline follows.")] = 2_000.0,
    factor: Annotated[float, typer.Option(min=1.05, help="Each step is so many times the one before.")] = 1.6,
    senders: Annotated[int, typer.Option(min=1, help="Processes that send.")] = 1,
    p99_ms: Annotated[float, typer.Option(min=1, help="Gives way: 1 % of the requests take longer.")] = 500.0,
    refused_share: Annotated[float, typer.Option(min=0, max=1, help="Gives way: more are refused.")] = 0.01,
    lag_seconds: Annotated[float, typer.Option(min=1, help="Gives way: events need longer to the warehouse.")] = 60.0,
    whole: Annotated[bool, typer.Option(help="All the way to the warehouse, or the API alone.")] = True,
    picture: Annotated[Path, typer.Option(help="Where the picture goes: .png, .svg, .pdf.")] = Path("stress.png"),
    as_json: AsJson = False,
) -> None:
    """Send more and more until something gives way, and show what each component took and which is the bottleneck."""
    with _faults_as_sentences():
        from event_assets.stress.picture import draw
        from event_assets.stress.ramp import Limits
        from event_assets.stress.run import Plan, run_stress
        from event_assets.stress.table import show_stress

        plan = Plan(
            processes=_counts(processes),
            max_seconds=max_seconds,
            start=start,
            whole_start=whole_start,
            factor=factor,
            step_seconds=step_seconds,
            senders=senders,
            whole=whole,
            limits=Limits(p99_ms / 1000, refused_share, lag_seconds=lag_seconds),
        )
        console = _console()
        report = run_stress(_settings().home, plan, lambda sentence: console.print(sentence))
        draw(report, picture)
        if as_json:
            typer.echo(json.dumps(report.as_dict() | {"picture": str(picture)}))
        else:
            show_stress(report, picture)
        if not report.balanced:
            raise typer.Exit(EXIT_FAULT)


def _counts(text: str) -> tuple[int, ...]:
    counts = tuple(int(part) for part in text.split(",") if part.strip().isdecimal())
    if not counts or 0 in counts or len(counts) != text.count(",") + 1:
        raise typer.BadParameter(f"{text!r}: write numbers of processes with commas between, such as 1,2,4")
    return counts


@app.command()
def settings(
    markdown: Annotated[bool, typer.Option("--markdown", help="The table of the README: defaults, no values.")] = False,
) -> None:
    """Show every setting, its value here and its meaning. Secrets are not shown."""
    with _faults_as_sentences():
        from event_assets import display
        from event_assets.settings import settings_table

        if markdown:
            typer.echo(display.markdown_settings(settings_table()))
        else:
            display.show_settings(_settings())


@app.command("spark-server")
def spark_server(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 50051,
) -> None:
    """Serve the embedded Spark engine (Sail) to other processes, as `sc://host:port`, until Ctrl-C."""
    with _faults_as_sentences():
        from event_assets.stack.spark_server import serve

        _console().print(f"Spark Connect at sc://{host}:{port}")
        serve(host, port, _settings())


@keys_app.command("create")
def keys_create(
    name: Annotated[str, typer.Argument(help="What the source is called.")],
    platform: Annotated[Literal["web", "ios", "android", "desktop", "server"], typer.Option(help="Its platform.")],
    trusted: Annotated[bool, typer.Option("--trusted", help="May say when events were received.")] = False,
    signed: Annotated[bool, typer.Option("--signed", help="Must sign its requests.")] = False,
    origin: Annotated[list[str] | None, typer.Option(help="Web origin that may use it; * for all. Repeatable.")] = None,
    rate: Annotated[float | None, typer.Option(min=0.001, help="Most events a second.")] = None,
) -> None:
    """Make a write key and print it, this once."""
    with _faults_as_sentences():
        key = _keys().create(
            name,
            platform,
            trusted,
            signed=signed,
            allowed_origins=tuple(origin or ()),
            events_per_second=rate,
        )
        typer.echo(key)
        _console().print("It is not shown again: only its hash is kept." if not signed else "It is not shown again.")


@keys_app.command("list")
def keys_list(as_json: AsJson = False) -> None:
    """Show all keys, without the keys themselves."""
    with _faults_as_sentences():
        from event_assets import display

        rows = [display.source_row(source) for source in _keys().sources()]
        if as_json:
            typer.echo(json.dumps(rows))
        else:
            display.show_rows(rows, empty="No keys yet. Make one: event-assets keys create NAME --platform web")


@keys_app.command("revoke")
def keys_revoke(key: Annotated[str, typer.Argument(help="The key, or its id.")]) -> None:
    """End a write key; the ingest API refuses it within a second."""
    with _faults_as_sentences():
        if not _keys().revoke(key):
            _console().print("There is no such key in force.", style="red")
            raise typer.Exit(EXIT_FAULT)
        _console().print("Revoked.")


def _console() -> Console:
    """Where everything goes that is not the result: standard error."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def _settings() -> Settings:
    from event_assets.settings import load_settings

    return load_settings()


def _keys() -> WriteKeys:
    from event_assets.collector.keys import WriteKeys

    return WriteKeys.of(_settings())


def _record(settings: Settings) -> StackRecord | None:
    from event_assets.stack.record import read_record

    return read_record(settings.home)


def _plain(record: StackRecord | None) -> dict[str, Any] | None:
    if record is None:
        return None
    return {key: value for key, value in asdict(record).items() if key != "warehouse_url"}


@contextlib.contextmanager
def _warehouse_url(settings: Settings, record: StackRecord | None) -> Iterator[str | None]:
    """The warehouse's address: the settings', the stack's, else the embedded one's while the block runs. None where
    there is none yet."""
    if settings.warehouse_url is not None:
        yield settings.warehouse_url.get_secret_value()
    elif record is not None:
        yield record.warehouse_url
    elif (settings.home / "postgres" / "PG_VERSION").exists():
        from event_assets.stack.postgres import open_postgres

        with open_postgres(settings.home) as url:
            yield url
    else:
        yield None


@contextlib.contextmanager
def _running_stack(end_with_parent: bool) -> Iterator[tuple[Console, LocalStack]]:
    """A started stack, which a signal to this process ends in order."""
    from event_assets.stack.guard import end_with_parent as end_with_parent_process
    from event_assets.stack.local import LocalStack

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    if end_with_parent:
        end_with_parent_process()
    console = _console()
    stack = LocalStack(_settings(), report=lambda sentence: console.print(f"  {sentence}"))
    console.print("Starting the stack …")
    with contextlib.ExitStack() as until_end:
        until_end.callback(_stop, console, stack)
        stack.start()
        yield console, stack


def _watch(stack: LocalStack) -> None:
    """Keep the stack running until a signal says otherwise, which is the ordinary end."""
    with contextlib.suppress(KeyboardInterrupt):
        stack.watch()


def _stop(console: Console, stack: LocalStack) -> None:
    # A second signal must not leave processes behind; the guards' deadlines bound how long this takes.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        console.print("Stopping the stack …")
    stack.stop()


def _show_addresses(console: Console, record: StackRecord) -> None:
    from event_assets import display

    display.show_addresses(console, record)


@contextlib.contextmanager
def _faults_as_sentences() -> Iterator[None]:
    """What can go wrong by circumstances is one sentence on standard error, not a traceback."""
    from event_assets.settings import SettingsError

    try:
        yield
    except KeyboardInterrupt:
        raise typer.Exit(EXIT_INTERRUPTED) from None
    except SettingsError as fault:
        _fail(fault, EXIT_USAGE)
    except Exception as fault:
        if type(fault).__name__ not in _CIRCUMSTANCES:
            raise
        _fail(fault, EXIT_USAGE if type(fault).__name__ == "ModelInputError" else EXIT_FAULT)


_CIRCUMSTANCES = frozenset(
    {
        "AnomalyError",
        "DemoFailed",
        "FileNotFoundError",
        "ImportStopped",
        "KeyFileError",
        "MappingError",
        "ModelInputError",
        "PlanError",
        "SendError",
        "StackError",
        "StreamGap",
        "TrafficError",
    }
)
"""Errors whose message says all there is to say. By name, so that no command imports what it does not use."""


def _fail(fault: Exception, code: int) -> None:
    print(fault, file=sys.stderr)
    raise typer.Exit(code)


if __name__ == "__main__":
    app()
