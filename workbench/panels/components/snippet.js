// A piece of code to copy.
export default component('wb-snippet', ({ el, shown }) => {
  const code = make('pre', 'wb-code', shown.code);
  const copy = button('wb-button wb-copy', shown.copy, async () => {
    try { await navigator.clipboard.writeText(shown.code); copy.textContent = shown.copied; } catch {
      getSelection().selectAllChildren(code);
    }
  });
  el.replaceChildren(make('div', 'wb-snippet-head', make('strong', '', shown.label || ''), copy), code);
});
