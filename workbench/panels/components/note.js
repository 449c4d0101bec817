// A heading with what belongs to it, or a word to the reader.
const inline = (text) => text.split(/(\*\*[^*]+\*\*|`[^`]+`)/).map((piece) =>
  piece.startsWith('**') ? make('strong', '', piece.slice(2, -2))
    : piece.startsWith('`') ? make('code', '', piece.slice(1, -1)) : piece);
export default component('wb-note', ({ el, shown, tell }) => {
  const parts = [];
  if (shown.title) {
    const title = make(shown.level || 'h2', '', make('span', '', shown.title));
    for (const one of shown.badges || []) title.append(badge(one));
    parts.push(title);
  }
  if (shown.meta) parts.push(make('p', 'wb-help', shown.meta));
  for (const paragraph of (shown.text || '').split(/\n{2,}/).filter(Boolean)) {
    parts.push(make('p', '', ...inline(paragraph)));
  }
  if (shown.action) parts.push(button('wb-button', shown.action, () => tell({ press: 'action' })));
  el.dataset.tone = shown.tone || '';
  if (shown.tone) el.setAttribute('role', 'alert');
  else el.removeAttribute('role');
  el.hidden = !parts.length;
  el.replaceChildren(...parts);
});
