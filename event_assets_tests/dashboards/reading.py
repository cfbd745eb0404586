"""What of a page in a browser cannot be read: words without the contrast of WCAG 2.2's level AA, and what keys reach
and has no name for who listens."""

from __future__ import annotations

FAULTS = """
() => {
  const channels = (told) => {
    const all = told.match(/[-\\d.e]+/g).map(Number);
    const [red, green, blue] = told.startsWith("color(") ? all.slice(0, 3).map((one) => 255 * one) : all;
    return [red, green, blue, all[3] ?? 1];
  };
  const over = (above, below) => [0, 1, 2].map((n) => above[n] * above[3] + below[n] * (1 - above[3]));
  const behind = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.unshift(channels(getComputedStyle(at).backgroundColor));
    return layers.reduce((below, above) => over(above, below), [255, 255, 255]);
  };
  const linear = (one) => one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4;
  const light = (color) => {
    const [red, green, blue] = color.map((one) => linear(one / 255));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (color, element) => {
    const ground = behind(element);
    const [less, more] = [light(over(channels(color), ground)), light(ground)].sort((one, other) => one - other);
    return (more + 0.05) / (less + 0.05);
  };
  const isSeen = (element) => element.checkVisibility({visibilityProperty: true});
  const faults = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const words = texts.currentNode.textContent.trim(), element = texts.currentNode.parentElement;
    if (!words || !isSeen(element) || element.matches("script, style, title, option")) continue;
    const style = getComputedStyle(element);
    const isLarge = parseFloat(style.fontSize) >= (style.fontWeight >= 700 ? 18.66 : 24);
    const found = contrast(element.closest("svg") ? style.fill : style.color, element);
    if (found < (isLarge ? 3 : 4.5)) faults.push(`${words}: ${found.toFixed(2)}`);
  }
  for (const field of document.querySelectorAll("input[placeholder], textarea[placeholder]")) {
    const found = contrast(getComputedStyle(field, "::placeholder").color, field);
    if (field.placeholder && isSeen(field) && found < 4.5) faults.push(`${field.placeholder}: ${found.toFixed(2)}`);
  }
  for (const each of document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")) {
    const written = each.innerText?.trim() || each.querySelector("title")?.textContent;
    if (isSeen(each) && !(each.ariaLabel || written || each.labels?.length))
      faults.push(`no name: ${each.outerHTML.slice(0, 120)}`);
  }
  return faults;
}
"""
"""Gives the faults of the page that is shown."""
