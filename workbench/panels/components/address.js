// The address of the page says which agent it shows, to be kept, sent and gone back to.
const named = () => new URL(location).searchParams.get('agent') || '';
export default component('wb-address', ({ el, shown, kept }) => {
  el.hidden = true;
  const rest = kept.title || (kept.title = document.title);
  document.title = shown.title ? `${shown.title} · ${rest}` : rest;
  if (shown.agent === named()) return;
  const there = new URL(location);
  if (shown.agent) there.searchParams.set('agent', shown.agent);
  else there.searchParams.delete('agent');
  history.pushState(null, '', there);
}, ({ model }) => {
  const go = () => model.send({ go: named() });
  addEventListener('popstate', go);
  return { end: () => removeEventListener('popstate', go) };
});
