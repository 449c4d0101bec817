// A field to search by, and filters that are on or off.
export default component('wb-search', ({ el, shown, tell, kept }) => {
  if (!kept.field) {
    kept.field = make('input');
    kept.field.type = 'search';
    kept.field.oninput = () => {
      clearTimeout(kept.timer);
      kept.timer = setTimeout(() => tell({ find: kept.field.value }), 200);
    };
    kept.filters = make('div', 'wb-filters');
    kept.known = make('datalist');
    kept.known.id = `wb-known-${Math.random().toString(36).slice(2)}`;
    kept.field.setAttribute('list', kept.known.id);
    el.replaceChildren(kept.field, kept.known, kept.filters);
  }
  kept.field.placeholder = shown.hint;
  kept.field.setAttribute('aria-label', shown.hint);
  if (document.activeElement !== kept.field) kept.field.value = shown.text || '';
  kept.known.replaceChildren(...(shown.known || []).map((value) => Object.assign(make('option'), { value })));
  kept.filters.replaceChildren(...(shown.filters || []).map((filter) => {
    const one = button('wb-filter', filter.label, () => tell({ filter: filter.id }));
    one.setAttribute('aria-pressed', String(Boolean(filter.on)));
    one.dataset.id = filter.id;
    return one;
  }));
  kept.filters.hidden = !(shown.filters || []).length;
});
