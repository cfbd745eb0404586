"""The application: its frame, the address as its state, and one callback that makes a page. Nothing is asked here."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import dash
import dash_mantine_components as dmc
import flask
from dash import ALL, Input, Output, State, ctx, dcc, html

from event_assets.dashboards.access.entrance import Gate, OpenGate, guard
from event_assets.dashboards.access.proxy import ProxyGate
from event_assets.dashboards.cards import empty, labelled
from event_assets.dashboards.context import Context, View, current_context
from event_assets.dashboards.exports import add_exports
from event_assets.dashboards.faults import TITLE, sentence_of
from event_assets.dashboards.figures import Figure
from event_assets.dashboards.filters import add_options, filters_of
from event_assets.dashboards.pages import dictionary, explore, metrics, people, query, realtime
from event_assets.dashboards.selection import Selection
from event_assets.rules.roles import Roles, roles_of
from event_assets.rules.rule_files import RuleError
from event_assets.settings import Settings

_Ids = list[dict[str, str]]
_LEAST_PACKED = 1_000
_SHARED = ("/assets/", "/_dash-component-suites/")
"""What is the same for every visitor."""
_THEME = {"primaryColor": "indigo", "primaryShade": 8, "fontFamily": "Inter, system-ui, sans-serif"}


def create_app(contexts: Mapping[str, Context]) -> dash.Dash:
    """The application over these sources, by role of the visitor. Everything that a browser needs is served from
    here."""
    context = next(iter(contexts.values()))
    _keep_color_scheme()
    app = dash.Dash(
        "event_assets.dashboards",
        title=context.source.dashboard.title,
        update_title="",
        assets_folder=str(files("event_assets.dashboards") / "assets"),
        suppress_callback_exceptions=True,
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
    )
    app.index_string = app.index_string.replace("<html>", '<html lang="en">')  # what reads the page aloud goes by it
    views = _views(context)
    # Before its first answer Dash looks at the layout, whoever asks, the entrance's own pages too.
    app.layout = lambda: _frame(current_context()) if "context" in flask.g else html.Div()
    guard(app.server, _gate(app.server, context.settings, roles_of(context.settings.roles)), contexts, context.settings)
    _add_callbacks(app, views)
    add_options(app)
    metrics.add_places(app.server)
    for room in (realtime, people, query, explore):
        room.add_callbacks(app)
    of_pages = {"realtime": realtime.figures, "pipeline": _pipeline_figures, "privacy": _privacy_figures}
    add_exports(app.server, views, of_pages)
    app.server.after_request(_packed)
    app.server.after_request(_with_headers)
    return app


@cache
def _keep_color_scheme() -> None:
    """Once a process: it is a hook of Dash, of all its applications."""
    dmc.pre_render_color_scheme()


def _gate(server: flask.Flask, settings: Settings, roles: Roles) -> Gate:
    """Who is let in. Raises `RuleError` where nobody would see anything."""
    if not roles.of_dashboards:
        raise RuleError(f"{settings.roles}: no role sees the dashboards: say dashboards: pages")
    if settings.dashboard_sign_in == "none":
        return OpenGate(list(roles.of_dashboards)[-1])
    if not roles.groups:
        raise RuleError(
            f"{settings.roles}: no role has groups, so that nobody who signs in would see anything: copy the file, say "
            "groups, and name it in EVENT_ASSETS_ROLES_FILE"
        )
    if settings.dashboard_sign_in == "proxy":
        return ProxyGate(settings, roles)
    from event_assets.dashboards.access.oidc import OidcGate  # brings what else nobody needs

    return OidcGate(server, settings, roles)


def _views(context: Context) -> dict[str, View]:
    dashboard = context.source.dashboard
    made = [View(page.id, page.title, page.description, page.filters, _maker(page.id)) for page in dashboard.pages]
    made += [realtime.view(), people.view(), _pipeline(), _privacy(), dictionary.view(), query.view(), explore.view()]
    return {view.id: view for view in made}


def _pipeline() -> View:
    def make(context: Context, selection: Selection) -> Any:
        from event_assets.dashboards.pages import pipeline  # reads the lake: not before somebody looks

        return pipeline.content(context)

    about = "Where events are, whether the ledger balances, and what is behind."
    return View("pipeline", "Pipeline", about, (), make, lambda context: not context.role.rows)


def _privacy() -> View:
    def make(context: Context, selection: Selection) -> Any:
        from event_assets.dashboards.pages import privacy  # reads the lake: not before somebody looks

        return privacy.content(context)

    about = "What people asked for and when it is due, what was erased, what is held, and which days go when."
    return View("privacy", "Privacy", about, (), make, lambda context: context.role.sees_people)


def _privacy_figures(context: Context) -> list[tuple[str, Figure]]:
    from event_assets.dashboards.pages import privacy

    return privacy.figures(context)


def _pipeline_figures(context: Context) -> list[tuple[str, Figure]]:
    from event_assets.dashboards.pages import pipeline

    return pipeline.figures(context)


def _maker(id_: str) -> Any:
    def make(context: Context, selection: Selection) -> Any:
        page = context.source.dashboard.page(id_)
        assert page is not None
        return metrics.frame_of(context, page)

    return make


def _frame(context: Context) -> Any:
    head = dmc.Group(
        [
            dmc.Burger(id="burger", size="sm", hiddenFrom="sm", opened=False, **labelled("Menu")),
            dmc.Text(context.source.dashboard.title, fw=700, fz={"base": 15, "sm": 18}, className="cut"),
            dmc.Group(
                [
                    *_visitor(),
                    dmc.ColorSchemeToggle(lightIcon="☾", darkIcon="☀", variant="default", **labelled("Dark or light")),
                ],
                ml="auto",
                gap="xs",
                wrap="nowrap",
            ),
        ],
        h="100%",
        px="md",
        wrap="nowrap",
    )
    main = html.Main(
        dmc.Container(
            [
                html.Div(id="head"),
                dmc.Group(id="filters", mb="md", align="end", gap="sm"),
                # Without a height of its own, lest the page's head pushes it down.
                dcc.Loading(html.Div(id="page"), delay_show=500, custom_spinner=html.Div(className="spinner")),
            ],
            size="xl",
            px=0,
        ),
        id="main",
    )
    return dmc.MantineProvider(
        [
            html.A("To the content", href="#main", className="skip"),
            dcc.Location(id="url", refresh="callback-nav"),
            dmc.AppShell(
                [
                    dmc.AppShellHeader(head),
                    dmc.AppShellNavbar(html.Nav(id="nav", **labelled("Pages")), p="sm"),
                    dmc.AppShellMain(main),
                ],
                id="shell",
                header={"height": 56},
                navbar={"width": 200, "breakpoint": "sm", "collapsed": {"mobile": True}},
                padding="md",
            ),
        ],
        theme=_THEME,
        defaultColorScheme="auto",
    )


def _here() -> dict[str, Any]:
    """What marks the page that is shown, for eyes and for what reads aloud."""
    return {"active": True, "aria-current": "page"}


def _visitor() -> list[Any]:
    """Who is signed in, and the way out."""
    if not flask.g.visitor.name:
        return []
    name = dmc.Text(flask.g.visitor.name, size="sm", c="dimmed", className="cut", visibleFrom="sm")
    if not flask.g.signs_out:
        return [name]
    leave = html.Button("Sign out", type="submit", className="quiet")
    return [name, html.Form(leave, action="/sign-out", method="post")]


def _add_callbacks(app: dash.Dash, views: Mapping[str, View]) -> None:
    first = next(iter(views))

    def view_of(path: str | None) -> View | None:
        view = views.get((path or "/").strip("/") or first)
        return view if view and view.is_for(current_context()) else None

    @app.callback(Output("nav", "children"), Input("url", "pathname"), Input("url", "search"))
    def navigation(path: str | None, search: str | None) -> Any:
        here, address = view_of(path), Selection.of(search).address
        return [
            dmc.NavLink(
                label=view.title, href=f"/{view.id}{address}", py=6, **_here() if view is here else {"active": False}
            )
            for view in views.values()
            if view.is_for(current_context())
        ]

    @app.callback(
        Output("url", "search"),
        Input({"filter": ALL, "of": ALL}, "value"),
        State({"filter": ALL, "of": ALL}, "id"),
        State("url", "search"),
        prevent_initial_call=True,
    )
    def address(values: list[Any], ids: _Ids, search: str | None) -> Any:
        before = Selection.of(search)
        after = _selected(ids, values, before)
        return dash.no_update if after == before else after.address

    @app.callback(
        Output("head", "children"),
        Output("filters", "children"),
        Output("page", "children"),
        Input("url", "pathname"),
        Input("url", "search"),
        State({"filter": ALL, "of": ALL}, "value"),
        State({"filter": ALL, "of": ALL}, "id"),
        State({"page": ALL}, "id"),
    )
    def page(path: str | None, search: str | None, values: list[Any], ids: _Ids, framed: _Ids) -> Any:
        """All at once: what came later would push away what is below it."""
        view, selection = view_of(path), Selection.of(search)
        if view is None:
            title = dmc.Title("There is no such page", order=1, fz=24, mb="md")
            return title, [], empty("The pages are in the menu.")
        shown = tuple(each["filter"] for each in ids)
        is_set = shown == view.filters and _selected(ids, values, selection) == selection
        filters = dash.no_update if is_set else filters_of(view.filters, selection)
        if framed == [{"page": view.id}]:
            return dash.no_update, filters, dash.no_update  # its places are filled anew by themselves
        head = [dmc.Title(view.title, order=1, fz=24), dmc.Text(view.description, c="dimmed", size="sm", mb="md")]
        return head, filters, _told(lambda: view.make(current_context(), selection))

    @app.callback(
        Output("shell", "navbar"),
        Output("burger", "opened"),
        Input("burger", "opened"),
        Input("url", "pathname"),
        State("shell", "navbar"),
    )
    def menu(opened: bool, path: str | None, navbar: dict[str, Any]) -> Any:
        is_open = opened and ctx.triggered_id == "burger"
        return {**navbar, "collapsed": {"mobile": not is_open}}, is_open


def _selected(ids: _Ids, values: list[Any], base: Selection) -> Selection:
    for each, value in zip(ids, values, strict=True):
        if value is not None:
            base = base.with_value(each["filter"], value)
    return Selection.of(base.address)


def _told(make: Any) -> Any:
    """What is made; where it cannot be, such as of a warehouse that does not answer, a sentence with the way out."""
    try:
        return make()
    except Exception as error:  # whatever it is: a page that stays as it was would say nothing
        return dmc.Alert(sentence_of(error), color="orange", title=TITLE)


def _packed(response: flask.Response) -> flask.Response:
    """The response in gzip, where that helps and the browser takes it."""
    if response.status_code != 200 or response.content_encoding or flask.request.accept_encodings.quality("gzip") <= 0:
        return response
    if response.mimetype == metrics.LINES:  # packs itself, line by line
        return response
    response.direct_passthrough = False  # a file of Dash's own
    plain = response.get_data()
    if len(plain) >= _LEAST_PACKED:
        # Only what is everybody's is kept: an answer may be about a person.
        response.set_data((_kept_gzip if flask.request.path.startswith(_SHARED) else _gzip)(plain))
        response.content_encoding = "gzip"
        response.vary.add("Accept-Encoding")
    return response


def _gzip(plain: bytes) -> bytes:
    return gzip.compress(plain, 6)


_kept_gzip = lru_cache(maxsize=64)(_gzip)


def _with_headers(response: flask.Response) -> flask.Response:
    response.headers["X-Content-Type-Options"] = "nosniff"
    if flask.g.get("visitor") and flask.g.visitor.name and not flask.request.path.startswith(_SHARED):
        response.headers["Cache-Control"] = "no-store"
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["Referrer-Policy"] = "same-origin"
    return response
