// A result as people read it: texts, pairs, tables, pictures, and what an agent displays as HTML.
const cell = (value) => {
  const number = typeof value === 'number';
  const text = value === null || value === undefined ? '' : number ? value.toLocaleString() : String(value);
  return make('td', number ? 'wb-number' : '', text);
};
const DRAW = {
  text: ({ text }) => make('p', 'wb-value-text', text),
  json: ({ text, title }) => {
    const more = make('details', '', make('summary', '', title), make('pre', 'wb-code', text));
    return more;
  },
  code: ({ text }) => make('pre', 'wb-code', text),
  figures: ({ pairs }) => make('dl', 'wb-figures', ...pairs.map(([name, value]) => {
    const shown = typeof value === 'number' ? value.toLocaleString() : String(value);
    return make('div', '', make('dt', '', name), make('dd', '', shown));
  })),
  list: ({ items }) => make('ul', 'wb-value-list', ...items.map((item) => make('li', '', String(item)))),
  table: ({ columns, rows, title, more }) => {
    const head = make('tr', '', ...columns.map((name) => make('th', '', name)));
    const body = make('tbody', '', ...rows.map((row) => make('tr', '', ...row.map(cell))));
    const table = make('table', 'wb-table', make('thead', '', head), body);
    return make('figure', '', title ? make('figcaption', '', title) : null,
      make('div', 'wb-scroll', table), more ? make('p', 'wb-help', more) : null);
  },
  picture: ({ source, title }) => {
    const picture = make('img');
    picture.src = source;
    picture.alt = title;
    return make('figure', 'wb-picture', picture);
  },
  html: ({ html }) => {
    const found = new DOMParser().parseFromString(html, 'text/html').querySelector('table');
    if (found) {
      const text = (one) => one.textContent.trim();
      const rows = [...found.rows].map((one) => [...one.cells].map(text));
      const headed = found.tHead && found.tHead.rows.length;
      return DRAW.table({ columns: headed ? rows[0] : [], rows: rows.slice(headed || 0) });
    }
    const frame = make('iframe', 'wb-frame');
    frame.setAttribute('sandbox', 'allow-same-origin');
    frame.onload = () => { frame.style.height = `${frame.contentDocument.documentElement.scrollHeight + 4}px`; };
    frame.srcdoc = html;
    return frame;
  },
};
export default component('wb-value', ({ el, shown }) => {
  el.replaceChildren(...shown.blocks.map((block) => DRAW[block.kind](block)));
});
