// What all components share. Text from outside is only ever set as text, never as HTML.
const make = (tag, name = '', ...inside) => {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.append(...inside.filter((one) => one !== null && one !== undefined));
  return element;
};
const button = (name, label, press) => {
  const element = make('button', name, label);
  element.type = 'button';
  element.onclick = press;
  return element;
};
const badge = ({ word, tone = '', behind = '' }) => {
  const element = make('span', 'wb-badge', word + behind);
  element.dataset.status = word;
  element.dataset.tone = tone;
  return element;
};
const seconds = (ms) =>
  ms < 950 ? `${Math.round(ms)} ms` : ms < 59950 ? `${(ms / 1000).toFixed(1)} s`
    : `${Math.floor(ms / 60000)} min ${Math.round((ms % 60000) / 1000)} s`;
const moment = (text) => (text ? new Date(text).toLocaleString([], {
  year: new Date(text).getFullYear() === new Date().getFullYear() ? undefined : 'numeric', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' }) : '');
// Whether text is light here, and so what it stands on dark.
const isDark = (element) => {
  const [r, g, b] = (getComputedStyle(element).color.match(/[\d.]+/g) || [0, 0, 0]).map(Number);
  return 0.3 * r + 0.6 * g + 0.1 * b > 128;
};
// A component is what it is called and how it draws what it is shown; `begin` may keep things.
const component = (name, draw, begin = () => ({})) => ({
  render({ model, el }) {
    el.classList.add('wb-part', name);
    const kept = begin({ el, model }) || {};
    const tell = (what) => model.send(what);
    const redraw = () => draw({ el, shown: model.get('shown'), tell, model, kept });
    model.on('change:shown', redraw);
    redraw();
    return () => { model.off('change:shown', redraw); if (kept.end) kept.end(); };
  },
});
