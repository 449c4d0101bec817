// A list to choose from, as cards in a grid or as rows.
export default component('wb-cards', ({ el, shown, tell }) => {
  const box = make('div', `wb-cards-${shown.look || 'grid'}`);
  box.setAttribute('role', 'list');
  for (const item of shown.items) {
    const head = make('span', 'wb-cards-head', make('strong', '', item.title),
      item.badge ? badge(item.badge) : null);
    const tags = (item.tags || []).map((tag) => make('span', 'wb-tag', tag));
    const card = button('wb-cards-one', '', () => tell({ choose: item.id }));
    card.append(head);
    if (item.text) card.append(make('span', 'wb-cards-text', item.text));
    if (item.meta || tags.length) card.append(make('span', 'wb-cards-meta', item.meta || '', ...tags));
    card.dataset.id = item.id;
    if (item.id === shown.selected) card.setAttribute('aria-current', 'true');
    const place = make('div', '', card);
    place.setAttribute('role', 'listitem');
    box.append(place);
  }
  const focused = el.contains(document.activeElement) && document.activeElement.dataset.id;
  el.replaceChildren(shown.items.length ? box : make('p', 'wb-empty', shown.empty || ''));
  if (focused) el.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus();
});
