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
    const dark = getComputedStyle(document.body).getPropertyValue('--jp-layout-color1').trim();
    inside.documentElement.style.colorScheme = /^#?(0|1|2|3)/.test(dark.replace('#', '')) ? 'dark' : 'light';
    frame.style.height = `${inside.documentElement.scrollHeight + 8}px`;
  };
  frame.srcdoc = shown.html;
  el.replaceChildren(frame);
});
