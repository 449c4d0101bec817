// Bars, one on the other, or lines over the same places; drawn anew at every width.
const svg = (tag, attributes = {}) => {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
};
const HIGH = 190, LEFT = 60, BOTTOM = 24, TOP = 10;
const nice = (most) => {
  const step = 10 ** Math.floor(Math.log10(most || 1));
  return [1, 2, 4, 5, 10].map((n) => n * step).find((n) => n >= most) || 1;
};
// On an axis there is room for a few letters only.
const spell = (value, unit, short) => (unit === 'ms' ? seconds(value)
  : unit === 'usd' ? `$${value.toLocaleString(undefined, { maximumSignificantDigits: 3 })}`
  : value.toLocaleString(undefined, { maximumFractionDigits: 1, notation: short && value >= 1e5 ? 'compact' : 'standard' }));
export default component('wb-chart', ({ shown, kept }) => {
  kept.draw = () => {
    const { labels, series, unit, stacked } = shown;
    const wide = Math.max(kept.box.clientWidth, 240);
    const values = labels.map((_, i) => series.map((one) => one.values[i]));
    const tops = values.map((row) => (stacked ? row.reduce((a, b) => a + (b || 0), 0) : Math.max(0, ...row.map((v) => v || 0))));
    const most = nice(Math.max(0, ...tops));
    const x = (i) => LEFT + ((wide - LEFT - 8) * (i + 0.5)) / labels.length;
    const y = (v) => TOP + (HIGH - TOP - BOTTOM) * (1 - v / most);
    const root = svg('svg', { width: '100%', height: HIGH, viewBox: `0 0 ${wide} ${HIGH}`, role: 'img' });
    root.append(Object.assign(svg('title'), { textContent: shown.title || '' }));
    for (let k = 0; k <= 4; k += 1) {
      const v = (most * k) / 4;
      root.append(svg('line', { class: 'wb-grid', x1: LEFT, x2: wide - 4, y1: y(v), y2: y(v) }));
      if (k % 2 === 0) {
        const text = svg('text', { class: 'wb-axis', x: LEFT - 8, y: y(v) + 4, 'text-anchor': 'end' });
        text.textContent = spell(v, unit, true);
        root.append(text);
      }
    }
    const every = Math.ceil(labels.length / Math.max(1, Math.floor((wide - LEFT) / 64)));
    labels.forEach((label, i) => {
      if (i % every) return;
      const text = svg('text', { class: 'wb-axis', x: x(i), y: HIGH - 6, 'text-anchor': 'middle' });
      text.textContent = label;
      root.append(text);
    });
    const slot = (wide - LEFT - 8) / labels.length, width = Math.min(34, slot * 0.66);
    if (stacked) {
      labels.forEach((_, i) => { let base = 0; series.forEach((one) => {
        const v = one.values[i] || 0;
        if (!v) return;
        root.append(svg('rect', { class: 'wb-bar', 'data-tone': one.tone, x: x(i) - width / 2, width,
          y: y(base + v), height: Math.max(1, y(base) - y(base + v) - 0.5), rx: 2 }));
        base += v;
      }); });
    } else {
      series.forEach((one) => {
        const places = one.values.map((v, i) => [i, v]).filter(([, v]) => v !== null && v !== undefined);
        if (!places.length) return;
        root.append(svg('polyline', { class: 'wb-line', 'data-tone': one.tone,
          points: places.map(([i, v]) => `${x(i)},${y(v)}`).join(' ') }));
        places.forEach(([i, v]) => root.append(svg('circle', { class: 'wb-dot', 'data-tone': one.tone, cx: x(i), cy: y(v), r: 3 })));
      });
    }
    labels.forEach((label, i) => {
      const strip = svg('rect', { x: x(i) - slot / 2, width: slot, y: 0, height: HIGH, fill: 'transparent' });
      strip.onmouseenter = () => {
        kept.tip.replaceChildren(make('strong', '', label), ...series.map((one) =>
          make('div', '', `${one.name}: ${one.values[i] === null ? '–' : spell(one.values[i] || 0, unit)}`)));
        kept.tip.hidden = false;
        kept.tip.style.left = `${Math.min((x(i) / wide) * 100, 78)}%`;
      };
      strip.onmouseleave = () => { kept.tip.hidden = true; };
      root.append(strip);
    });
    kept.box.replaceChildren(root);
    kept.key.replaceChildren(...series.map((one) => {
      const mark = make('i');
      mark.dataset.tone = one.tone;
      return make('span', '', mark, one.name);
    }));
  };
  kept.title.textContent = shown.title || '';
  kept.draw();
}, ({ el }) => {
  const kept = { title: make('h4'), key: make('div', 'wb-key'), box: make('div', 'wb-chart-box'), tip: make('div', 'wb-tip'), draw() {} };
  kept.tip.hidden = true;
  el.append(make('div', 'wb-chart-head', kept.title, kept.key), kept.box, kept.tip);
  const watch = new ResizeObserver(() => kept.draw());
  watch.observe(kept.box);
  kept.end = () => watch.disconnect();
  return kept;
});
