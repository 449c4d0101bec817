// Tabs; the arrow keys go from one to the next.
export default component('wb-tabs', ({ el, shown, tell }) => {
  el.setAttribute('role', 'tablist');
  el.dataset.look = shown.look || '';
  const focused = el.contains(document.activeElement);
  el.replaceChildren(...shown.tabs.map((tab, n) => {
    const one = button('wb-tab', tab.label, () => tell({ choose: tab.id }));
    const chosen = tab.id === shown.selected;
    one.setAttribute('role', 'tab');
    one.setAttribute('aria-selected', String(chosen));
    one.dataset.id = tab.id;
    if (tab.wrong) one.dataset.wrong = '';
    one.tabIndex = chosen ? 0 : -1;
    one.onkeydown = (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) tell({ choose: shown.tabs[(n + step + shown.tabs.length) % shown.tabs.length].id });
    };
    return one;
  }));
  if (focused) el.querySelector('[aria-selected=true]')?.focus();
});
