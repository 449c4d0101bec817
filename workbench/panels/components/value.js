// A result as people read it: texts, pairs, tables, pictures, and what an agent displays as HTML.
const spell = (value, digits) => value.toLocaleString(undefined, {
  useGrouping: 'min2', minimumFractionDigits: digits, maximumFractionDigits: digits ?? 6 });
// As many decimals in every row of a column, so that the points stand below each other.
const digitsOf = (rows, n) => Math.min(4, Math.max(0, ...rows.map((row) =>
  (typeof row[n] === 'number' && !Number.isInteger(row[n]) ? String(row[n]).split('.')[1] || '' : '').length)));
const isNumber = (rows, n) => rows.some((row) => typeof row[n] === 'number')
  && rows.every((row) => typeof row[n] === 'number' || row[n] === null);
const cell = (value, digits) => {
  const number = typeof value === 'number';
  const text = value === null || value === undefined ? '' : number ? spell(value, digits) : String(value);
  return make('td', number ? 'wb-number' : '', text);
};
const DRAW = {
  text: ({ text }) => make('p', 'wb-value-text', text),
  json: ({ text, title }) => {
    const more = make('details', '', make('summary', '', title), make('pre', 'wb-code', text));
    return more;
  },
  more: ({ title, blocks }) => make('details', 'wb-more', make('summary', '', title),
    ...blocks.map((block) => DRAW[block.kind](block))),
  code: ({ text }) => make('pre', 'wb-code', text),
  figures: ({ pairs }) => make('dl', 'wb-figures', ...pairs.map(([name, value]) => {
    const shown = typeof value === 'number' ? spell(value) : String(value);
    return make('div', '', make('dt', '', name), make('dd', '', shown));
  })),
  list: ({ items }) => make('ul', 'wb-value-list', ...items.map((item) => make('li', '', String(item)))),
  table: ({ columns, rows, title, more }) => {
    const digits = columns.map((_, n) => digitsOf(rows, n));
    const head = make('tr', '', ...columns.map((name, n) => make('th', isNumber(rows, n) ? 'wb-number' : '', name)));
    const body = make('tbody', '', ...rows.map((row) => make('tr', '', ...row.map((one, n) => cell(one, digits[n])))));
    const headed = columns.some(Boolean);
    const table = make('table', 'wb-table', headed ? make('thead', '', head) : null, body);
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
