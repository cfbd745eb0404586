/* Draws a tree of plain elements as one component of the page: a text, or [tag, attributes, ...what is in it]. What is
   in a <details> is drawn once somebody opens it; the tag @ is a component of another library. */
window.event_assets = (() => {
  const {createElement, memo, useEffect, useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore} = window.React;

  const draw = (node) => {
    if (!Array.isArray(node)) return node;
    const [tag, attributes, ...inner] = node;
    if (tag === "details") return createElement(Details, {attributes, inner});
    if (tag === "@") return drawComponent(attributes);
    return createElement(tag, attributes, ...inner.map(draw));
  };

  const drawComponent = ({of: [library, name], props, height}) => {
    const drawn = createElement(window[library][name], props);
    return height ? createElement(InView, {height}, drawn) : drawn;
  };

  const Details = ({attributes, inner: [summary, ...rest]}) => {
    const [isOpen, setOpen] = useState(false);
    const onToggle = (event) => event.target === event.currentTarget && setOpen(event.target.open);
    return createElement("details", {...attributes, onToggle}, draw(summary), ...(isOpen ? rest.map(draw) : []));
  };

  /* What is in it is drawn once it is in view, or nearly: charts are dear. */
  const InView = ({children, height}) => {
    const place = useRef(null);
    const [isSeen, setSeen] = useState(false);
    useLayoutEffect(() => {  // what is in view from the beginning does not wait
      const {top, bottom} = place.current.getBoundingClientRect();
      if (bottom > 0 && top < window.innerHeight) setSeen(true);
    }, []);
    useEffect(() => {
      const watch = new IntersectionObserver(
        (entries) => entries.some((entry) => entry.isIntersecting) && setSeen(true), {rootMargin: "200px"});
      const all = () => setSeen(true);
      watch.observe(place.current);
      window.addEventListener("beforeprint", all);
      return () => { watch.disconnect(); window.removeEventListener("beforeprint", all); };
    }, []);
    return createElement("div", {ref: place, style: {minHeight: height}}, isSeen ? children : null);
  };

  const Select = ({label, options, value, setProps}) => createElement("label", {className: "select"}, label,
    createElement("select", {value, "aria-label": label, onChange: (event) => setProps({value: event.target.value})},
      ...options.map(([name, title]) => createElement("option", {value: name}, title))));

  /* A page's places: each has what was put there first until the server has sent what comes there, a line of JSON each.
     One that is `open`, as high as what comes will be, is told so until then: what is below it would move.
     When the address asks for something else what is there stays, marked, until the new comes; nobody waits for what
     was asked before. */
  const Places = ({address, rows}) => {
    const frame = useMemo(() => JSON.parse(rows), [rows]);
    const search = useSyncExternalStore(onAddress, () => window.location.search);
    const [{filled, of}, put] = useState({filled: {}, of: {}});
    useEffect(() => {
      const stop = new AbortController();
      const fill = (name, cards) => !stop.signal.aborted && put(({filled, of}) => (
        {filled: {...filled, [name]: cards}, of: {...of, [name]: search}}));
      const came = new Set();
      readLines(address + search, stop.signal, ([name, cards]) => came.add(name) && fill(name, cards)).catch(
        () => frame.flat().forEach(([name]) => came.has(name) || fill(name, SILENCE)));
      return () => stop.abort();
    }, [address, search]);
    return frame.map((places, row) => createElement("div", {className: "grid", key: row}, ...places.map(
      ([name, first, isOpen]) => createElement(Place, {
        key: name, cards: filled[name] ?? first, isDue: of[name] !== search, isOpen: isOpen && !(name in filled)}))));
  };
  const SILENCE = [["section", {className: "card", role: "alert"},
    ["p", {className: "empty"}, "The dashboards do not answer. Load the page again."]]];
  const Place = memo(({cards, isDue, isOpen}) => createElement(
    "div", {className: isOpen ? "place open" : "place", "data-is-due": isDue || null}, ...cards.map(draw)));

  const onAddress = (told) => {
    const names = ["popstate", "_dashprivate_pushstate"];
    names.forEach((name) => window.addEventListener(name, told));
    return () => names.forEach((name) => window.removeEventListener(name, told));
  };

  const readLines = async (address, signal, take) => {
    const answer = await window.fetch(address, {signal});
    if (!answer.ok) throw new Error(answer.status);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let rest = "", read = await reader.read(); !read.done; read = await reader.read()) {
      const lines = (rest + read.value).split("\n");
      rest = lines.pop();
      lines.forEach((line) => take(JSON.parse(line)));
    }
  };

  return {Places, Select, Markup: memo(({tree}) => draw(JSON.parse(tree)), (before, after) => before.tree === after.tree)};
})();
