// A page made by the workbench, shown where nothing in it can run or be sent.
export default component('wb-page', ({ el, shown, kept }) => {
  if (kept.html === shown.html) return;
  kept.html = shown.html;
  if (!shown.html) { el.replaceChildren(); return; }
  const frame = make('iframe', 'wb-frame');
  frame.setAttribute('sandbox', 'allow-same-origin');
  frame.title = shown.title || '';
  frame.onload = () => {
    const inside = frame.contentDocument;
    frame.style.height = `${inside.documentElement.scrollHeight + 8}px`;
  };
  // The page is light or dark as its frame is, whatever the browser likes best.
  kept.dye = () => { frame.style.colorScheme = isDark(el) ? 'dark' : 'light'; };
  kept.dye();
  frame.srcdoc = shown.html;
  el.replaceChildren(frame);
}, () => {
  const kept = { dye() {} };
  const watch = new MutationObserver(() => kept.dye());
  watch.observe(document.body, { attributes: true, attributeFilter: ['data-jp-theme-name', 'data-jp-theme-light'] });
  kept.end = () => watch.disconnect();
  return kept;
});
