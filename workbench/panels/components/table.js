// Rows to look at, sort and choose from.
const CELLS = {
  status: (value) => make('td', '', value ? badge(value) : ''),
  number: (value) => make('td', 'wb-number', value === null ? '' : value.toLocaleString()),
  took: (value) => make('td', 'wb-number', value === null ? '' : seconds(value)),
  moment: (value) => make('td', 'wb-moment', moment(value)),
  code: (value) => make('td', '', make('code', '', value ?? '')),
  prose: (value) => make('td', '', value ?? ''),
  text: (value) => make('td', 'wb-rows-cell', value ?? ''),
};
const key = (value) => (value && value.word ? value.word : value ?? '');
const draw = ({ el, shown, tell, kept }) => {
  const { columns, rows } = shown;
  const sorted = kept.by ? [...rows].sort((a, b) => (key(a[kept.by]) > key(b[kept.by]) ? 1 : -1) * kept.way) : rows;
  const redraw = (name) => { kept.way = kept.by === name ? -kept.way : 1; kept.by = name; draw({ el, shown, tell, kept }); };
  const head = make('tr', '', ...columns.map((column) => {
    const sort = button('wb-sort', column.label, () => redraw(column.key));
    const th = make('th', column.kind === 'number' || column.kind === 'took' ? 'wb-number' : '', sort);
    if (kept.by === column.key) th.setAttribute('aria-sort', kept.way > 0 ? 'ascending' : 'descending');
    th.scope = 'col';
    return th;
  }));
  const body = make('tbody', '', ...sorted.map((row) => {
    const tr = make('tr', '', ...columns.map((column) => CELLS[column.kind || 'text'](row[column.key])));
    tr.dataset.id = row.id;
    if (shown.choosable) {
      tr.tabIndex = 0;
      tr.setAttribute('aria-selected', String((shown.selected || []).includes(row.id)));
      tr.onclick = (event) => tell({ choose: row.id, more: event.ctrlKey || event.metaKey || event.shiftKey });
      tr.onkeydown = (event) => { if (event.key === 'Enter') tell({ choose: row.id, more: event.ctrlKey }); };
    }
    return tr;
  }));
  const table = make('table', 'wb-table', make('thead', '', head), body);
  const parts = rows.length ? [make('div', 'wb-scroll', table)] : [make('p', 'wb-empty', shown.empty || '')];
  if (shown.more) parts.push(button('wb-button', shown.more, () => tell({ more: true })));
  el.replaceChildren(...parts);
};
export default component('wb-rows', draw, () => ({ way: 1 }));
