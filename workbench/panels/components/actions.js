// Buttons in a row.
const PATHS = {
  run: 'M5 3l9 5-9 5z', stop: 'M4 4h8v8H4z', test: 'M6 2h4v1H9.5v3.5L13 13a.8.8 0 0 1-.7 1.2H3.7A.8.8 0 0 1 3 13l3.5-6.5V3H6z',
  back: 'M10.5 3L5.5 8l5 5', add: 'M8 3v10M3 8h10', save: 'M3 8.5l3.5 3.5L13 4.500', publish: 'M8 12V4M4.5 7.5L8 4l3.5 3.5M3 13.5h10',
};
const LINES = new Set(['back', 'add', 'save', 'publish']);
const icon = (name) => {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', PATHS[name]);
  path.setAttribute(LINES.has(name) ? 'stroke' : 'fill', 'currentColor');
  if (LINES.has(name)) { path.setAttribute('fill', 'none'); path.setAttribute('stroke-width', '1.8'); }
  svg.append(path);
  return svg;
};
export default component('wb-actions', ({ el, shown, tell }) => {
  const focused = el.contains(document.activeElement) && document.activeElement.dataset.id;
  el.replaceChildren(...shown.buttons.map((one) => {
    const element = button(`wb-button wb-${one.id}`, '', () => tell({ press: one.id }));
    if (one.icon) element.append(icon(one.icon));
    element.append(make('span', '', one.label));
    element.dataset.look = one.look || 'plain';
    element.dataset.id = one.id;
    element.disabled = Boolean(one.off);
    if (one.hint) element.title = one.hint;
    return element;
  }));
  if (focused) el.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus();
});
