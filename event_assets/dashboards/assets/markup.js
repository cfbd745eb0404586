/* Draws a tree of plain elements as one component of the page: a text, or [tag, attributes, ...what is in it]. What is
   in a <details> is drawn once somebody opens it. */
window.event_assets = (() => {
  const {createElement, memo, useEffect, useLayoutEffect, useRef, useState} = window.React;

  const draw = (node) => {
    if (!Array.isArray(node)) return node;
    const [tag, attributes, ...inner] = node;
    if (tag === "details") return createElement(Details, {attributes, inner});
    return createElement(tag, attributes, ...inner.map(draw));
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

  return {InView, Select, Markup: memo(({tree}) => draw(JSON.parse(tree)), (before, after) => before.tree === after.tree)};
})();
